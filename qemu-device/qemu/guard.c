/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the running QEMU laid out as the headers this file was compiled with? A
 * wrong answer would corrupt QEMU's memory, so it is asked before anything is
 * registered. Sizes do not show fields that changed places; known values
 * in known classes, and the list of tested packages, narrow that.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-misc.h"
#include "qapi/qapi-commands-control.h"
#include "qapi/qapi-visit-control.h"

#include "device.h"

/* How qom/object.c's private struct TypeImpl begins, in every release from 7.2 to 11.1. */
struct type_head {
	const char *name;
	size_t class_size;
	size_t instance_size;
};

static bool sizes_fit(const char *type, size_t instance_size, size_t class_size)
{
	ObjectClass *klass = object_class_by_name(type);
	const struct type_head *head = klass ? (const void *)klass->type : NULL;

	if (!head || strcmp(head->name, type)) {
		fprintf(stderr, "vrnic: this QEMU's object model is unknown (type %s)", type);
		return false;
	}
	if (head->instance_size != instance_size || head->class_size != class_size) {
		fprintf(stderr,
			"vrnic: this QEMU was built differently (%s: %zu/%zu bytes, expected %zu/%zu)",
			type, head->instance_size, head->class_size, instance_size, class_size);
		return false;
	}
	return true;
}

/* A device that every QEMU for PCs has, read through our idea of its class. */
static bool known_class_fits(void)
{
	ObjectClass *klass = object_class_by_name("e1000");
	const PCIDeviceClass *pci;

	if (!klass)
		return true;
	pci = (const PCIDeviceClass *)klass;
	if (pci->vendor_id != PCI_VENDOR_ID_INTEL || pci->class_id != PCI_CLASS_NETWORK_ETHERNET ||
	    !pci->realize || !pci->exit || !pci->parent_class.user_creatable) {
		fprintf(stderr, "vrnic: this QEMU's device class is laid out differently");
		return false;
	}
	return true;
}

bool vrnic_layout_fits(void)
{
	return sizes_fit(TYPE_OBJECT, sizeof(Object), sizeof(ObjectClass)) &&
	       sizes_fit(TYPE_DEVICE, sizeof(DeviceState), sizeof(DeviceClass)) &&
	       sizes_fit(TYPE_PCI_DEVICE, sizeof(PCIDevice), sizeof(PCIDeviceClass)) &&
	       sizes_fit(TYPE_MEMORY_REGION, sizeof(MemoryRegion), sizeof(MemoryRegionClass)) &&
	       sizes_fit(TYPE_PCI_BUS, sizeof(PCIBus), sizeof(PCIBusClass)) && known_class_fits();
}

/* Packages the device tests have passed with. A rebuild ("+b3") of one counts as it. */
static const char *const tested_packages[] = {
	"Debian 1:7.2+dfsg-7+deb12u18",
	"Debian 1:10.0.13+ds-0+deb13u1",
};

void vrnic_warn_if_untested(void)
{
	VersionInfo *version = qmp_query_version(NULL);
	bool tested = false;

	for (size_t i = 0; i < ARRAY_SIZE(tested_packages); i++) {
		size_t length = strlen(tested_packages[i]);

		if (!strncmp(version->package, tested_packages[i], length) &&
		    (!version->package[length] || !strncmp(version->package + length, "+b", 2)))
			tested = true;
	}
	if (!tested)
		fprintf(stderr,
			"vrnic: warning: not tested with QEMU %d.%d.%d (%s); built for %s\n",
			(int)version->qemu->major, (int)version->qemu->minor, (int)version->qemu->micro,
			*version->package ? version->package : "no package", QEMU_VERSION);
	qapi_free_VersionInfo(version);
}
