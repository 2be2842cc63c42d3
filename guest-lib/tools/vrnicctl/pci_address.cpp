// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "pci_address.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "netlink.h"

namespace vrnic::ctl {

std::expected<std::string, int> pci_address(std::uint32_t netdev_index) {
    auto route = Netlink::open(NETLINK_ROUTE);
    if (!route) return std::unexpected(route.error());
    ifinfomsg which{};
    which.ifi_index = static_cast<int>(netdev_index);
    std::expected<std::string, int> found = std::unexpected(ENOENT);
    auto asked = route->ask(Request(RTM_GETLINK, 0, which), [&](const Attributes& link) {
        const auto bus = link.text(IFLA_PARENT_DEV_BUS_NAME);
        const auto device = link.text(IFLA_PARENT_DEV_NAME);
        if (bus == "pci" && device) found = *device;
    });
    if (!asked) return std::unexpected(asked.error());
    return found;
}

}  // namespace vrnic::ctl
