// SPDX-License-Identifier: GPL-2.0-or-later
// What the device offers: one structure, which QUERY_DEVICE tells and every check obeys.
#pragma once

#include "control/config.h"
#include "vrnic_admin.h"

namespace vrnic {

vrnic_device_caps capabilities(const EngineConfig& config);

// Page-table entries that all memory regions may hold together: a bound on the device's own memory.
inline constexpr std::uint64_t kMaxTotalPages = 16u << 20;

// Pages of the memory of one CQ or QP.
inline constexpr std::uint32_t kMaxQueuePages = 16384;

}  // namespace vrnic
