// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "open_device.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "vrnic_query.h"

namespace vrnic::ctl {

std::expected<std::vector<OpenDevice>, std::string> open_devices(const std::string& device) {
    int count = 0;
    const std::unique_ptr<ibv_device*[], Free<ibv_free_device_list>> list(
        ibv_get_device_list(&count));
    if (!list)
        return std::unexpected(fmt::format("cannot list RDMA devices: {}", std::strerror(errno)));
    std::vector<OpenDevice> found;
    for (int i = 0; i < count; ++i) {
        const char* name = ibv_get_device_name(list[i]);
        if (!device.empty() && device != name) continue;
        OpenDevice one{.name = name, .context = ContextPtr(ibv_open_device(list[i])), .answer = {}};
        const int err = one.context ? vrnic_query(one.context.get(), &one.answer) : errno;
        if (err == 0)
            found.push_back(std::move(one));
        else if (!device.empty())
            return std::unexpected(
                err == EINVAL ? fmt::format("{} is no vrnic", name)
                              : fmt::format("cannot open {}: {}", name, std::strerror(err)));
    }
    if (found.empty())
        return std::unexpected(device.empty()
                                   ? std::string("there is no vrnic that libibverbs knows")
                                   : fmt::format("there is no RDMA device {}", device));
    return found;
}

std::expected<ContextPtr, std::string> open_device(const std::string& device) {
    auto found = open_devices(device);
    if (!found) return std::unexpected(found.error());
    return std::move(found->front().context);
}

std::string why_not_told(int err) {
    if (err == EPROTONOSUPPORT || err == EOPNOTSUPP)
        return "the driver or the device is older than this, and cannot tell";
    return fmt::format("cannot ask: {}", std::strerror(err));
}

}  // namespace vrnic::ctl
