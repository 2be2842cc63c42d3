// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/pci_device.h"

#include <linux/pci_regs.h>

namespace vrnic::device_test {

// Configuration mechanism #1 (PCI 3.0, 3.2.2.3.2). Returns the data port.
std::uint16_t PciDevice::select(unsigned offset) {
    machine_.qtest().out(0xcf8,
                         0x80000000u | address_.bus << 16 | address_.slot << 11 |
                             address_.function << 8 | (offset & ~3u),
                         4);
    return static_cast<std::uint16_t>(0xcfc + (offset & 3));
}

std::uint32_t PciDevice::config_read(unsigned offset, unsigned size) {
    return machine_.qtest().in(select(offset), size);
}

void PciDevice::config_write(unsigned offset, std::uint32_t value, unsigned size) {
    machine_.qtest().out(select(offset), value, size);
}

unsigned PciDevice::find_capability(std::uint8_t id) {
    unsigned at = config_read(PCI_CAPABILITY_LIST, 1);
    for (int hops = 0; at && hops < 48; ++hops) {
        if (config_read(at, 1) == id) return at;
        at = config_read(at + 1, 1);
    }
    return 0;
}

void PciDevice::enable(const BarPlaces& places) {
    places_ = places;
    config_write(PCI_BASE_ADDRESS_0, places.registers, 4);
    config_write(PCI_BASE_ADDRESS_2, places.doorbells, 4);
    config_write(PCI_BASE_ADDRESS_3, 0, 4);
    config_write(PCI_BASE_ADDRESS_4, places.msix, 4);
    config_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

void PciDevice::function_level_reset() {
    const unsigned control = find_capability(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
    config_write(control, config_read(control, 2) | PCI_EXP_DEVCTL_BCR_FLR, 2);
}

void PciDevice::aim_vector(unsigned vector, std::uint64_t address, std::uint32_t data) {
    const unsigned control = find_capability(PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS;
    config_write(control, PCI_MSIX_FLAGS_ENABLE, 2);
    const std::uint64_t entry = places_.msix + vector * PCI_MSIX_ENTRY_SIZE;
    machine_.qtest().write(entry + PCI_MSIX_ENTRY_LOWER_ADDR, address & 0xffffffff, 4);
    machine_.qtest().write(entry + PCI_MSIX_ENTRY_UPPER_ADDR, address >> 32, 4);
    machine_.qtest().write(entry + PCI_MSIX_ENTRY_DATA, data, 4);
    mask_vector(vector, false);
}

void PciDevice::mask_vector(unsigned vector, bool masked) {
    machine_.qtest().write(places_.msix + vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL,
                           masked, 4);
}

bool PciDevice::pending(unsigned vector) {
    const unsigned pba = find_capability(PCI_CAP_ID_MSIX) + PCI_MSIX_PBA;
    const std::uint64_t bits = places_.msix + (config_read(pba, 4) & PCI_MSIX_PBA_OFFSET);
    return machine_.qtest().read(bits + vector / 32 * 4, 4) >> (vector % 32) & 1;
}

}  // namespace vrnic::device_test
