// SPDX-License-Identifier: GPL-2.0-or-later
// A PCI function, set up as firmware and a driver would.
#pragma once

#include <cstdint>

#include "support/machine.h"

namespace vrnic::device_test {

struct PciAddress {
    unsigned bus = 0, slot = 4, function = 0;
};

// Where the test puts the BARs; one place for each device of a machine.
struct BarPlaces {
    std::uint32_t registers = 0xfe000000;
    std::uint32_t msix = 0xfe010000;
    std::uint32_t doorbells = 0xe0000000;
};

class PciDevice {
  public:
    PciDevice(Machine& machine, PciAddress address) : machine_(machine), address_(address) {}

    std::uint32_t config_read(unsigned offset, unsigned size);
    void config_write(unsigned offset, std::uint32_t value, unsigned size);
    // Offset of a capability, 0: not there.
    unsigned find_capability(std::uint8_t id);

    // Programs the BARs, turns on memory and bus mastering.
    void enable(const BarPlaces& places = {});
    const BarPlaces& places() const { return places_; }
    void function_level_reset();

    // The MSI-X vector writes data to address; enables MSI-X.
    void aim_vector(unsigned vector, std::uint64_t address, std::uint32_t data);
    void mask_vector(unsigned vector, bool masked);
    bool pending(unsigned vector);

    Machine& machine() { return machine_; }

  private:
    std::uint16_t select(unsigned offset);

    Machine& machine_;
    PciAddress address_;
    BarPlaces places_;
};

}  // namespace vrnic::device_test
