// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "query.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "open_device.h"
#include "vrnic_admin.h"
#include "vrnic_query.h"

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

using List = std::unique_ptr<ibv_device*[], Free<ibv_free_device_list>>;

// 0: of vrnic; EINVAL: of another driver.
int ask(ibv_device* device, vrnic_ib_alloc_ucontext_resp& answer) {
    const ContextPtr context(ibv_open_device(device));
    return context ? vrnic_query(context.get(), &answer) : errno;
}

DeviceFeatures describe(const char* name, std::uint64_t features) {
    DeviceFeatures found{.device = name, .qp_types = {}};
    for (const Feature& type : kQpTypes)
        if (features & type.bit) found.qp_types.emplace_back(type.name);
    for (const Feature& feature : kFeatures)
        found.features.emplace_back(feature.name, (features & feature.bit) != 0);
    return found;
}

}  // namespace

std::expected<std::vector<DeviceFeatures>, std::string> query(const std::string& device) {
    int count = 0;
    const List list(ibv_get_device_list(&count));
    if (!list)
        return std::unexpected(fmt::format("cannot list RDMA devices: {}", std::strerror(errno)));
    std::vector<DeviceFeatures> found;
    for (int i = 0; i < count; ++i) {
        const char* name = ibv_get_device_name(list[i]);
        if (!device.empty() && device != name) continue;
        vrnic_ib_alloc_ucontext_resp answer;
        const int err = ask(list[i], answer);
        if (err == 0)
            found.push_back(describe(name, answer.features));
        else if (!device.empty())
            return std::unexpected(
                err == EINVAL ? fmt::format("{} is no vrnic", name)
                              : fmt::format("cannot ask {}: {}", name, std::strerror(err)));
    }
    if (found.empty())
        return std::unexpected(device.empty()
                                   ? std::string("there is no vrnic that libibverbs knows")
                                   : fmt::format("there is no RDMA device {}", device));
    return found;
}

}  // namespace vrnic::ctl
