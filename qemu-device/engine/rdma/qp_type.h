// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "vrnic_admin.h"

namespace vrnic {

// VRNIC_QPT_*: UD, or the GSI queue pair, which is a UD one of management (IBTA 13.5.3).
constexpr bool is_datagram_type(std::uint8_t type) {
    return type == VRNIC_QPT_UD || type == VRNIC_QPT_GSI;
}

}  // namespace vrnic
