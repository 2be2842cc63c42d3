// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "open_device.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "vrnic_query.h"

namespace vrnic::ctl {

std::expected<ContextPtr, std::string> open_device(const std::string& device) {
    int count = 0;
    const std::unique_ptr<ibv_device*[], Free<ibv_free_device_list>> list(
        ibv_get_device_list(&count));
    if (!list)
        return std::unexpected(fmt::format("cannot list RDMA devices: {}", std::strerror(errno)));
    for (int i = 0; i < count; ++i) {
        const char* name = ibv_get_device_name(list[i]);
        if (!device.empty() && device != name) continue;
        ContextPtr context(ibv_open_device(list[i]));
        vrnic_ib_alloc_ucontext_resp answer;
        const int err = context ? vrnic_query(context.get(), &answer) : errno;
        if (err == 0) return context;
        if (!device.empty())
            return std::unexpected(
                err == EINVAL ? fmt::format("{} is no vrnic", name)
                              : fmt::format("cannot open {}: {}", name, std::strerror(err)));
    }
    return std::unexpected(device.empty() ? std::string("there is no vrnic that libibverbs knows")
                                          : fmt::format("there is no RDMA device {}", device));
}

}  // namespace vrnic::ctl
