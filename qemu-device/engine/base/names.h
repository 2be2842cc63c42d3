// SPDX-License-Identifier: GPL-2.0-or-later
// Words for the numbers of the interface, as people type and read them.
#pragma once

#include <array>
#include <cstdint>

#include "vrnic_admin.h"

namespace vrnic {

struct Name {
    const char* text;
    std::uint32_t value;
};

// By VRNIC_STATUS_*.
inline constexpr std::array<const char*, 11> kAdminStatusNames = {
    "OK",    "BAD_OPCODE", "RESERVED",  "INVALID",     "NO_OBJECT", "BUSY",
    "LIMIT", "DMA",        "BAD_STATE", "UNSUPPORTED", "PERMISSION"};
static_assert(kAdminStatusNames.size() == VRNIC_STATUS_PERMISSION + 1);

}  // namespace vrnic
