/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI device: properties, BARs, capabilities, reset and its life from
 * realize to unrealize. All that the guest sees beyond PCI is the engine's.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "migration/vmstate.h"
#include "net/eth.h"

#include "device.h"
#include "vrnic_regs.h"

enum {
	MAX_VECTORS = 64,
	DEFAULT_VECTORS = 16,
	PCIE_CAP_OFFSET = 0xa0,
	DOORBELL_STRIDE_LOG = 12, /* a guest page for each user context */
};
#define DOORBELL_SIZE_MIN (2ull << DOORBELL_STRIDE_LOG) /* the driver's slot and one more */
#define DOORBELL_SIZE_MAX (64ull * MiB)
#define DOORBELL_SIZE_DEFAULT (1ull * MiB)
#define STATS_SIZE_MAX 16384

/* ---- access to the BARs ---- */

/* Without bridge: the device is being removed while a processor is still in an access. */

static uint64_t registers_read(void *opaque, hwaddr offset, unsigned size)
{
	VrnicState *s = opaque;

	if (!s->bridge || !vrnic_on_bus(s))
		return UINT64_MAX;
	return vrnic_bridge_read_register(s->bridge, offset, size);
}

static void registers_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
	VrnicState *s = opaque;

	if (s->bridge && vrnic_on_bus(s))
		vrnic_bridge_write_register(s->bridge, offset, value, size);
}

static uint64_t doorbells_read(void *opaque, hwaddr offset, unsigned size)
{
	return vrnic_on_bus(opaque) ? 0 : UINT64_MAX;
}

static void doorbells_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
	VrnicState *s = opaque;

	if (s->bridge && vrnic_on_bus(s))
		vrnic_bridge_write_doorbell(s->bridge, offset, value, size);
}

/* The engine judges sizes and alignment, so that a mistake is counted and told. */
#define ANY_ACCESS { .min_access_size = 1, .max_access_size = 8, .unaligned = true }

static const MemoryRegionOps registers_ops = {
	.read = registers_read,
	.write = registers_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = ANY_ACCESS,
	.impl = ANY_ACCESS,
};

static const MemoryRegionOps doorbells_ops = {
	.read = doorbells_read,
	.write = doorbells_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = ANY_ACCESS,
	.impl = ANY_ACCESS,
};

/* ---- calls from QEMU's main loop ---- */

static void deadline_passed(void *opaque)
{
	VrnicState *s = opaque;

	object_ref(OBJECT(s)); /* what the engine writes may unplug the device */
	if (s->bridge)
		vrnic_bridge_on_timer(s->bridge);
	object_unref(OBJECT(s));
}

static void bottom_half(void *opaque)
{
	VrnicState *s = opaque;

	object_ref(OBJECT(s));
	if (s->run_wanted && s->bridge) {
		s->run_wanted = false;
		vrnic_bridge_run(s->bridge);
	}
	if (s->flush_wanted && s->bridge) {
		s->flush_wanted = false;
		qemu_flush_queued_packets(qemu_get_queue(s->nic));
	}
	object_unref(OBJECT(s));
}

/* ---- properties ---- */

static bool check_properties(VrnicState *s, struct vrnic_config *config, Error **errp)
{
	/* "-nic model=vrnic" sets a property of this name to 0 unasked. */
	if (s->vectors == 0)
		s->vectors = DEFAULT_VECTORS;
	if (s->vectors > MAX_VECTORS) {
		error_setg(errp, "vectors=%u is not between 1 and %d", s->vectors, MAX_VECTORS);
		return false;
	}
	if (!is_power_of_2(s->doorbell_size) || s->doorbell_size < DOORBELL_SIZE_MIN ||
	    s->doorbell_size > DOORBELL_SIZE_MAX) {
		error_setg(errp, "doorbell-size=%" PRIu64 " is not a power of two between %llu and %llu",
			   s->doorbell_size, DOORBELL_SIZE_MIN, DOORBELL_SIZE_MAX);
		return false;
	}
	if (is_multicast_ether_addr(s->conf.macaddr.a)) {
		error_setg(errp, "mac is a multicast address");
		return false;
	}
	qemu_macaddr_default_if_unset(&s->conf.macaddr);
	memcpy(config->mac, s->conf.macaddr.a, sizeof(config->mac));
	config->vectors = s->vectors;
	config->doorbell_slots = (uint32_t)(s->doorbell_size >> DOORBELL_STRIDE_LOG);
	config->doorbell_stride_log = DOORBELL_STRIDE_LOG;
	config->seed = s->seed;
	/* A listening netdev may still be down and comes up without telling: only changes are followed. */
	config->link_up = true;
	return vrnic_parse_capabilities(s, &config->without, errp);
}

static VRNIC_PROPERTY properties[] = {
	DEFINE_NIC_PROPERTIES(VrnicState, conf),
	DEFINE_PROP_UINT32("vectors", VrnicState, vectors, DEFAULT_VECTORS),
	DEFINE_PROP_SIZE("doorbell-size", VrnicState, doorbell_size, DOORBELL_SIZE_DEFAULT),
	DEFINE_PROP_STRING("loss", VrnicState, loss),
	DEFINE_PROP_UINT64("seed", VrnicState, seed, 0),
	DEFINE_PROP_STRING("qp-types", VrnicState, qp_types),
	DEFINE_PROP_BOOL("atomics", VrnicState, atomics, true),
	DEFINE_PROP_BOOL("srq", VrnicState, srq, true),
	DEFINE_PROP_BOOL("memory-windows", VrnicState, memory_windows, true),
	DEFINE_PROP_BOOL("fast-registration", VrnicState, fast_registration, true),
	DEFINE_PROP_BOOL("kverbs", VrnicState, kverbs, true),
	VRNIC_PROPERTY_END
};

/* Read-only, at run time: "qom-get /machine/peripheral/ID stats" gives the counters as JSON. */
static char *stats_get(Object *object, Error **errp)
{
	VrnicState *s = VRNIC(object);
	char *text = g_malloc0(STATS_SIZE_MAX);

	if (s->bridge)
		vrnic_bridge_stats(s->bridge, text, STATS_SIZE_MAX);
	return text;
}

/* May be changed at run time, so it is none of the static properties above. */
static char *capture_get(Object *object, Error **errp)
{
	VrnicState *s = VRNIC(object);
	char *file;

	if (!s->bridge)
		return g_strdup(s->capture ? s->capture : "");
	file = g_malloc0(PATH_MAX);
	vrnic_bridge_capture(s->bridge, file, PATH_MAX);
	return file;
}

static void capture_set(Object *object, const char *file, Error **errp)
{
	VrnicState *s = VRNIC(object);

	if (s->bridge) {
		vrnic_capture_start(s, file, errp);
		return;
	}
	g_free(s->capture);
	s->capture = g_strdup(file);
}

/* ---- PCI configuration ---- */

static bool add_capabilities(PCIDevice *pci, Error **errp)
{
	VrnicState *s = VRNIC(pci);
	int offset;

	if (!pci_bus_is_express(pci_get_bus(pci))) {
		error_setg(errp, "vrnic is a PCI Express device and needs such a bus (-machine q35)");
		return false;
	}
	offset = pcie_endpoint_cap_init(pci, PCIE_CAP_OFFSET);
	if (offset < 0) {
		error_setg(errp, "no place for the PCI Express capability");
		return false;
	}
	pcie_cap_flr_init(pci);
	pcie_cap_deverr_init(pci);

	offset = vrnic_add_pm_capability(pci, errp);
	if (offset < 0)
		return false;
	s->pm_capability = (uint8_t)offset;
	pci_set_word(pci->config + offset + PCI_PM_PMC, 3); /* version of PCI PM 1.2 */
	/* Back from D3hot everything is as before (PCI PM 1.2, 5.4.1), so no driver state is lost. */
	pci_set_word(pci->config + offset + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_word(pci->wmask + offset + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);

	return msix_init_exclusive_bar(pci, (unsigned short)s->vectors, VRNIC_BAR_MSIX, errp) == 0;
}

static void follow_power_state(VrnicState *s)
{
	const uint8_t *control = PCI_DEVICE(s)->config + s->pm_capability + PCI_PM_CTRL;

	s->asleep = (pci_get_word(control) & PCI_PM_CTRL_STATE_MASK) != 0;
}

static uint32_t config_read(PCIDevice *pci, uint32_t address, int length)
{
	return VRNIC(pci)->surprise_removed ? UINT32_MAX :
					      pci_default_read_config(pci, address, length);
}

static void config_write(PCIDevice *pci, uint32_t address, uint32_t value, int length)
{
	VrnicState *s = VRNIC(pci);

	if (s->surprise_removed)
		return;
	pci_default_write_config(pci, address, value, length);
	follow_power_state(s);
	pcie_cap_flr_write_config(pci, address, value, length);
}

/* System reset, bus reset and FLR. */
static void reset(DeviceState *dev)
{
	VrnicState *s = VRNIC(dev);
	uint8_t *power;

	if (!s->bridge)
		return;
	power = PCI_DEVICE(s)->config + s->pm_capability + PCI_PM_CTRL;
	pci_word_test_and_clear_mask(power, PCI_PM_CTRL_STATE_MASK);
	s->asleep = false;
	vrnic_bridge_reset(s->bridge);
	vrnic_net_drop_in_flight(s);
}

/* ---- life ---- */

/* Values that went through QEMU's own code into structures that both sides lay out. */
static bool behaves_as_compiled(const VrnicState *s)
{
	const PCIDevice *pci = &s->parent_obj;

	return vrnic_net_layout_fits(s) && s->registers.ops == &registers_ops &&
	       int128_get64(s->registers.size) == VRNIC_BAR_REGS_SIZE &&
	       pci->io_regions[VRNIC_BAR_REGS].size == VRNIC_BAR_REGS_SIZE &&
	       pci->io_regions[VRNIC_BAR_DOORBELL].memory == &s->doorbells &&
	       pci->msix_entries_nr == (int)s->vectors && pci->exp.exp_cap == PCIE_CAP_OFFSET;
}

/*
 * One order, whatever happens: the engine stops (nothing calls out any more),
 * then its callers go, then the wire, then what the guest could reach. QEMU has
 * taken the BARs out of the address space before.
 */
static void tear_down(VrnicState *s)
{
	PCIDevice *pci = PCI_DEVICE(s);
	struct vrnic_bridge *bridge = s->bridge;

	s->bridge = NULL;
	vrnic_bridge_free(bridge);
	vrnic_capture_free(s);
	if (s->timer)
		timer_free(s->timer);
	s->timer = NULL;
	if (s->bh)
		qemu_bh_delete(s->bh);
	s->bh = NULL;
	if (s->nic) {
		vrnic_net_drop_in_flight(s);
		qemu_del_nic(s->nic);
	}
	s->nic = NULL;
	if (msix_present(pci)) {
		vrnic_surprise_free(s);
		msix_unuse_all_vectors(pci);
		msix_uninit_exclusive_bar(pci);
	}
	if (pci->exp.exp_cap)
		pcie_cap_exit(pci);
}

static void realize(PCIDevice *pci, Error **errp)
{
	VrnicState *s = VRNIC(pci);
	struct vrnic_config config = { 0 };

	if (!check_properties(s, &config, errp))
		return;
	memory_region_init_io(&s->registers, OBJECT(s), &registers_ops, s, "vrnic-registers",
			      VRNIC_BAR_REGS_SIZE);
	memory_region_init_io(&s->doorbells, OBJECT(s), &doorbells_ops, s, "vrnic-doorbells",
			      s->doorbell_size);
	pci_register_bar(pci, VRNIC_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->registers);
	pci_register_bar(pci, VRNIC_BAR_DOORBELL,
			 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
				 PCI_BASE_ADDRESS_MEM_PREFETCH,
			 &s->doorbells);
	if (!add_capabilities(pci, errp)) {
		tear_down(s);
		return;
	}
	for (unsigned i = 0; i < s->vectors; i++)
		msix_vector_use(pci, i);

	/* Not guarded by QEMU: the engine minds its own re-entrance, in 7.2 as later. */
	s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, deadline_passed, s);
	s->bh = qemu_bh_new(bottom_half, s);
	vrnic_net_create(s);
	vrnic_capture_create(s);
	vrnic_surprise_create(s);
	s->bridge = vrnic_bridge_new(&vrnic_qemu_host, s, &config);
	if (!s->bridge) {
		error_setg(errp, "not enough memory for the device");
		tear_down(s);
	} else if (!behaves_as_compiled(s)) {
		error_setg(errp, "this QEMU is laid out differently from the one vrnic was built for (%s)",
			   QEMU_VERSION);
		tear_down(s);
	} else if (!vrnic_faults_start(s, errp) ||
		   (s->capture && !vrnic_capture_start(s, s->capture, errp))) {
		tear_down(s);
	}
}

static void unrealize(PCIDevice *pci)
{
	tear_down(VRNIC(pci));
}

/* Open queue pairs cannot be saved yet; a snapshot must not lose them in silence. */
static const VMStateDescription vmstate = {
	.name = TYPE_VRNIC,
	.unmigratable = 1,
};

static void class_init(ObjectClass *klass, VrnicClassData *data)
{
	DeviceClass *dc = DEVICE_CLASS(klass);
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

	pc->realize = realize;
	pc->exit = unrealize;
	pc->config_read = config_read;
	pc->config_write = config_write;
	pc->vendor_id = VRNIC_PCI_VENDOR_ID;
	pc->device_id = VRNIC_PCI_DEVICE_ID;
	pc->revision = VRNIC_PCI_REVISION;
	pc->class_id = PCI_CLASS_NETWORK_ETHERNET;
	dc->desc = "vrnic: Ethernet and RoCEv2 RDMA NIC";
	dc->vmsd = &vmstate;
	vrnic_set_reset(dc, reset);
	set_bit(DEVICE_CATEGORY_NETWORK, dc->categories);
	device_class_set_props(dc, properties);
	object_class_property_add_str(klass, "stats", stats_get, NULL);
	object_class_property_add_str(klass, "capture", capture_get, capture_set);
	object_class_property_add_str(klass, "faults", vrnic_faults_get, vrnic_faults_set);
	object_class_property_add_bool(klass, "surprise-removed", vrnic_surprise_get, vrnic_surprise_set);
	object_class_property_set_description(klass, "surprise-removed",
					      "not there any more, as if pulled out of its slot: every read gives all ones");
	object_class_property_set_description(klass, "faults", "what goes wrong on purpose: rules, see docs/faults.md");
	object_class_property_set_description(klass, "capture", "file (pcapng) of every frame; empty: none");
	object_class_property_set_description(klass, "stats", "the device's counters as JSON");
	object_class_property_set_description(klass, "loss", "share of RoCE packets lost on their way out, 0..1 (a rule of faults)");
	object_class_property_set_description(klass, "seed", "of everything random in the device");
	object_class_property_set_description(klass, "qp-types", "types of queue pair that there are, as rc+ud (all: rc+uc+ud+xrc)");
	object_class_property_set_description(klass, "atomics", "whether there are compare-and-swap and fetch-and-add");
	object_class_property_set_description(klass, "srq", "whether there are shared receive queues");
	object_class_property_set_description(klass, "memory-windows", "whether there are memory windows");
	object_class_property_set_description(klass, "fast-registration",
					      "whether kernel consumers may register memory by work requests");
	object_class_property_set_description(klass, "kverbs",
					      "whether kernel consumers (rdma_cm, NVMe, NFS, ...) can use it");
	object_class_property_set_description(klass, "vectors", "MSI-X vectors, 1..64 (0: 16)");
	object_class_property_set_description(klass, "doorbell-size", "bytes of BAR2, 4096 for each user context");
}

static void finalize(Object *object)
{
	g_free(VRNIC(object)->capture);
	g_free(VRNIC(object)->faults);
}

void vrnic_register_type(void)
{
	static VRNIC_INTERFACES interfaces[] = { { INTERFACE_PCIE_DEVICE }, {} };
	static const TypeInfo type = {
		.name = TYPE_VRNIC,
		.parent = TYPE_PCI_DEVICE,
		.instance_size = sizeof(VrnicState),
		.instance_finalize = finalize,
		.class_init = class_init,
		.interfaces = interfaces,
	};

	type_register_static(&type);
}
