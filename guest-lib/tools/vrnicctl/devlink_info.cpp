// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "devlink_info.h"

#include <linux/devlink.h>
#include <linux/genetlink.h>

#include <cerrno>

#include "netlink.h"

namespace vrnic::ctl {

namespace {

// Generic netlink gives families their numbers as they come.
std::expected<int, int> devlink_family(Netlink& generic) {
    Request request(GENL_ID_CTRL, 0,
                    genlmsghdr{.cmd = CTRL_CMD_GETFAMILY, .version = 1, .reserved = 0});
    request.put(CTRL_ATTR_FAMILY_NAME, std::string(DEVLINK_GENL_NAME));
    std::expected<int, int> found = std::unexpected(ENOENT);
    auto asked = generic.ask(request, [&](const Attributes& family) {
        if (const auto id = family.u16(CTRL_ATTR_FAMILY_ID)) found = *id;
    });
    if (!asked) return std::unexpected(asked.error());
    return found;
}

}  // namespace

std::expected<std::map<std::string, std::string>, int> devlink_info(
    const std::string& pci_address) {
    auto generic = Netlink::open(NETLINK_GENERIC);
    if (!generic) return std::unexpected(generic.error());
    const auto family = devlink_family(*generic);
    if (!family) return std::unexpected(family.error());

    Request request(
        *family, 0,
        genlmsghdr{.cmd = DEVLINK_CMD_INFO_GET, .version = DEVLINK_GENL_VERSION, .reserved = 0});
    request.put(DEVLINK_ATTR_BUS_NAME, std::string("pci")).put(DEVLINK_ATTR_DEV_NAME, pci_address);
    std::map<std::string, std::string> found;
    auto asked = generic->ask(request, [&](const Attributes& info) {
        info.each(DEVLINK_ATTR_INFO_VERSION_FIXED, [&](const Attributes& one) {
            const auto name = one.text(DEVLINK_ATTR_INFO_VERSION_NAME);
            if (name) found[*name] = one.text(DEVLINK_ATTR_INFO_VERSION_VALUE).value_or("");
        });
    });
    if (!asked) return std::unexpected(asked.error());
    return found;
}

}  // namespace vrnic::ctl
