/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine is given (host.h), made of QEMU's DMA, MSI-X, timers and bottom halves. */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"

#include "device.h"

/*
 * "memory": only RAM may answer. A ring or a buffer that points into a BAR, the
 * device's own included, is a failed DMA instead of a call back into a device.
 */
static const MemTxAttrs dma_attributes = { .memory = 1 };

static bool host_dma_read(void *device, uint64_t address, void *out, size_t size)
{
	VrnicState *s = device;

	return vrnic_on_bus(s) && pci_dma_rw(PCI_DEVICE(s), address, out, size, DMA_DIRECTION_TO_DEVICE,
					dma_attributes) == MEMTX_OK;
}

static bool host_dma_write(void *device, uint64_t address, const void *data, size_t size)
{
	VrnicState *s = device;

	/* The direction says that the buffer is only read. */
	return vrnic_on_bus(s) && pci_dma_rw(PCI_DEVICE(s), address, (void *)data, size,
					DMA_DIRECTION_FROM_DEVICE, dma_attributes) == MEMTX_OK;
}

/*
 * The word that makes a completion valid. pci_dma_rw would copy it as bytes;
 * address_space_stq is one store, but it does not heed the "memory" attribute,
 * so what lies there is looked at first.
 */
static bool host_dma_store64(void *device, uint64_t address, uint64_t value)
{
	VrnicState *s = device;
	AddressSpace *as = pci_get_address_space(PCI_DEVICE(s));
	MemTxResult result = MEMTX_ACCESS_ERROR;
	hwaddr offset, length = sizeof(value);
	MemoryRegion *region;

	if (!vrnic_on_bus(s) || address % sizeof(value))
		return false;
	rcu_read_lock();
	region = address_space_translate(as, address, &offset, &length, true, dma_attributes);
	if (length >= sizeof(value) && memory_region_is_ram(region) && !region->readonly) {
		smp_wmb(); /* after the DMA before it */
		address_space_stq_le(as, address, value, dma_attributes, &result);
	}
	rcu_read_unlock();
	return result == MEMTX_OK;
}

static void host_raise_interrupt(void *device, uint32_t vector)
{
	VrnicState *s = device;

	if (vector < s->vectors && vrnic_on_bus(s))
		msix_notify(PCI_DEVICE(s), vector);
}

static enum vrnic_send host_send_frame(void *device, const void *frame, size_t size)
{
	return vrnic_net_send(device, frame, size);
}

/* Not from here: the net layer may be delivering to us, and then a flush is a no-op. */
static void host_receive_ready(void *device)
{
	VrnicState *s = device;

	s->flush_wanted = true;
	qemu_bh_schedule(s->bh);
}

static uint64_t host_now(void *device)
{
	return (uint64_t)qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static uint64_t host_wall_time(void *device)
{
	return (uint64_t)qemu_clock_get_ns(QEMU_CLOCK_HOST);
}

static void host_set_timer(void *device, uint64_t deadline)
{
	VrnicState *s = device;

	if (deadline == VRNIC_TIMER_NEVER)
		timer_del(s->timer);
	else
		timer_mod_ns(s->timer, (int64_t)MIN(deadline, (uint64_t)INT64_MAX));
}

static void host_schedule_run(void *device)
{
	VrnicState *s = device;

	s->run_wanted = true;
	qemu_bh_schedule(s->bh);
}

static void host_log(void *device, enum vrnic_log level, const char *line, size_t length)
{
	vrnic_log_line(device, level, line, length);
}

const struct vrnic_host vrnic_qemu_host = {
	.dma_read = host_dma_read,
	.dma_write = host_dma_write,
	.dma_store64 = host_dma_store64,
	.raise_interrupt = host_raise_interrupt,
	.send_frame = host_send_frame,
	.receive_ready = host_receive_ready,
	.now = host_now,
	.wall_time = host_wall_time,
	.set_timer = host_set_timer,
	.schedule_run = host_schedule_run,
	.log = host_log,
};
