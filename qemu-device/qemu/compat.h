/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the supported QEMU releases differ. VRNIC_QEMU is major * 100 + minor
 * of the headers compiled against; VRNIC_NIC_HAS_GUARD is found by a probe,
 * because distributions have carried that change back.
 */
#ifndef VRNIC_QEMU_COMPAT_H
#define VRNIC_QEMU_COMPAT_H

#include "hw/pci/pci.h"
#include "hw/pci/pci_bus.h"
#if VRNIC_QEMU >= 800
#include "hw/pci/pci_device.h"
#endif
#if VRNIC_QEMU >= 1100
#include "hw/core/qdev-properties.h"
#else
#include "hw/qdev-properties.h"
#endif
#if VRNIC_QEMU >= 1000
#include "system/system.h"
#else
#include "sysemu/sysemu.h"
#endif
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"

/* Property tables became const, and lost their end mark, in 10.0. */
#if VRNIC_QEMU >= 1000
#define VRNIC_PROPERTY const Property
#define VRNIC_PROPERTY_END
#else
#define VRNIC_PROPERTY Property
#define VRNIC_PROPERTY_END DEFINE_PROP_END_OF_LIST(),
#endif

/* class_init's data and the interface list became const in 10.1. */
#if VRNIC_QEMU >= 1001
typedef const void VrnicClassData;
#define VRNIC_INTERFACES const InterfaceInfo
#else
typedef void VrnicClassData;
#define VRNIC_INTERFACES InterfaceInfo
#endif

static inline void vrnic_set_reset(DeviceClass *dc, void (*reset)(DeviceState *))
{
#if VRNIC_QEMU >= 902
	device_class_set_legacy_reset(dc, reset);
#else
	dc->reset = reset;
#endif
}

/* Adds the power management capability; returns its offset, or a negative number with errp set. */
static inline int vrnic_add_pm_capability(PCIDevice *pci, Error **errp)
{
#if VRNIC_QEMU >= 1000
	return pci_pm_init(pci, 0, errp);
#else
	return pci_add_capability(pci, PCI_CAP_ID_PM, 0, PCI_PM_SIZEOF, errp);
#endif
}

#endif /* VRNIC_QEMU_COMPAT_H */
