// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace vrnic::ctl {

// What one device of vrnic has.
struct DeviceFeatures {
    std::string device;
    std::vector<std::string> qp_types;                     // rc, uc, ud, xrc
    std::vector<std::pair<std::string, bool>> features{};  // by name
};

// Devices of vrnic, or only the one of this name (empty: all). Those of other drivers are left out
// unless they are asked for. On failure a line for a person.
std::expected<std::vector<DeviceFeatures>, std::string> query(const std::string& device);

}  // namespace vrnic::ctl
