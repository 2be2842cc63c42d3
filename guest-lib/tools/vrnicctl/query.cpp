// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "query.h"

#include "open_device.h"
#include "vrnic_admin.h"

namespace vrnic::ctl {

namespace {

struct Feature {
    const char* name;
    std::uint64_t bit;
};
constexpr Feature kQpTypes[] = {
    {"rc", VRNIC_CAP_RC}, {"uc", VRNIC_CAP_UC}, {"ud", VRNIC_CAP_UD}, {"xrc", VRNIC_CAP_XRC}};
constexpr Feature kFeatures[] = {
    {"atomics", VRNIC_CAP_ATOMIC},
    {"srq", VRNIC_CAP_SRQ},
    {"memory-windows", VRNIC_CAP_WINDOWS},
    {"multicast", VRNIC_CAP_MCAST},
    {"fast-registration", VRNIC_CAP_FAST_REG},
    {"kverbs", VRNIC_CAP_KERNEL},
    {"atomic-write", VRNIC_CAP_ATOMIC_WRITE},
    {"flush", VRNIC_CAP_FLUSH_GLOBAL},
};

DeviceFeatures describe(const std::string& name, std::uint64_t features) {
    DeviceFeatures found{.device = name, .qp_types = {}};
    for (const Feature& type : kQpTypes)
        if (features & type.bit) found.qp_types.emplace_back(type.name);
    for (const Feature& feature : kFeatures)
        found.features.emplace_back(feature.name, (features & feature.bit) != 0);
    return found;
}

}  // namespace

std::expected<std::vector<DeviceFeatures>, std::string> query(const std::string& device) {
    const auto devices = open_devices(device);
    if (!devices) return std::unexpected(devices.error());
    std::vector<DeviceFeatures> found;
    for (const OpenDevice& one : *devices) found.push_back(describe(one.name, one.answer.features));
    return found;
}

}  // namespace vrnic::ctl
