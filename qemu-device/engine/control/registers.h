// SPDX-License-Identifier: GPL-2.0-or-later
// BAR0: the registers of uapi/vrnic_regs.h.
#pragma once

#include <cstdint>

#include "control/admin.h"
#include "control/device.h"

namespace vrnic {

class Registers {
  public:
    Registers(Device& device, AdminQueue& admin) : device_(device), admin_(admin) {}

    // Any offset, any size. What is not an access the manual allows reads as zero, is ignored, is
    // counted.
    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, std::uint64_t value, unsigned size);

  private:
    void refuse(const char* what, std::uint64_t offset, unsigned size);

    Device& device_;
    AdminQueue& admin_;
    std::uint32_t clock_high_ = 0;  // of the clock as its low half was last read
};

}  // namespace vrnic
