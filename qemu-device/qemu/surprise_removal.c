/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The property "surprise-removed": from one moment on the device is not there
 * any more, without a word to the guest, as if pulled out of its slot. Every
 * read gives all ones (PCIe 6.0, 2.3.2), writes and frames are lost.
 */
#include "qemu/osdep.h"

#include "device.h"

static uint64_t absent_read(void *opaque, hwaddr offset, unsigned size)
{
	return UINT64_MAX;
}

static void absent_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps absent_ops = {
	.read = absent_read,
	.write = absent_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
	.impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* The other BARs are our own and ask vrnic_on_bus; this one is QEMU's, and is covered. */
void vrnic_surprise_create(VrnicState *s)
{
	MemoryRegion *bar = &PCI_DEVICE(s)->msix_exclusive_bar;

	memory_region_init_io(&s->absent, OBJECT(s), &absent_ops, s, "vrnic-absent",
			      memory_region_size(bar));
	memory_region_set_enabled(&s->absent, s->surprise_removed);
	memory_region_add_subregion_overlap(bar, 0, &s->absent, 1);
}

void vrnic_surprise_free(VrnicState *s)
{
	if (memory_region_is_mapped(&s->absent))
		memory_region_del_subregion(&PCI_DEVICE(s)->msix_exclusive_bar, &s->absent);
}

bool vrnic_surprise_get(Object *object, Error **errp)
{
	return VRNIC(object)->surprise_removed;
}

/* Back in its slot the device is as after a reset; the guest's configuration of its BARs is kept. */
void vrnic_surprise_set(Object *object, bool removed, Error **errp)
{
	static const char *const word[] = { "back in its slot", "removed by surprise" };
	VrnicState *s = VRNIC(object);

	if (s->surprise_removed == removed)
		return;
	s->surprise_removed = removed;
	if (!s->bridge)
		return;
	vrnic_log_line(s, VRNIC_LOG_FAULT, word[removed], strlen(word[removed]));
	vrnic_bridge_reset(s->bridge);
	vrnic_net_drop_in_flight(s);
	memory_region_set_enabled(&s->absent, removed);
}
