// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace vrnic {

// Of a frame or a packet, as the device sees it.
enum class Direction : std::uint8_t { in, out };

}  // namespace vrnic
