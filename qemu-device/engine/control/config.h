// SPDX-License-Identifier: GPL-2.0-or-later
// What the owner of a device chooses.
#pragma once

#include <array>
#include <cstdint>

namespace vrnic {

struct EngineConfig {
    std::array<std::uint8_t, 6> mac{};
    std::uint32_t vectors = 16;          // MSI-X vectors, 1..64
    std::uint32_t doorbell_slots = 256;  // with slot 0
    std::uint32_t doorbell_stride_log = 12;
    std::uint64_t seed = 0;  // of everything random
    bool link_up = true;
    std::uint64_t without = 0;  // VRNIC_CAP_* that the device is not to have
};

}  // namespace vrnic
