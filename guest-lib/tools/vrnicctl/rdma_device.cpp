// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "rdma_device.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>

namespace vrnic::ctl {

namespace {

int type(int command) {
    return RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command);
}

// Where it is on the network. A device whose netdev is in another namespace shows none.
void find_netdev(Netlink& rdma, RdmaDevice& device) {
    Request request(type(RDMA_NLDEV_CMD_PORT_GET), 0);
    request.put(RDMA_NLDEV_ATTR_DEV_INDEX, device.index).put(RDMA_NLDEV_ATTR_PORT_INDEX, kPort);
    (void)rdma.ask(request, [&](const Attributes& port) {
        device.netdev_index = port.u32(RDMA_NLDEV_ATTR_NDEV_INDEX);
        device.netdev = port.text(RDMA_NLDEV_ATTR_NDEV_NAME).value_or("");
    });
}

std::expected<CharacterDevice, int> ask_character_device(Netlink& rdma, Request& request) {
    std::expected<CharacterDevice, int> found = std::unexpected(ENODEV);
    auto asked = rdma.ask(request, [&](const Attributes& answer) {
        const dev_t number = answer.u64(RDMA_NLDEV_ATTR_CHARDEV).value_or(0);
        found = CharacterDevice{.name = answer.text(RDMA_NLDEV_ATTR_CHARDEV_NAME).value_or(""),
                                .major = major(number),
                                .minor = minor(number),
                                .abi = answer.u64(RDMA_NLDEV_ATTR_CHARDEV_ABI).value_or(0),
                                .driver_id = answer.u32(RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID)};
    });
    if (!asked) return std::unexpected(asked.error());
    return found;
}

}  // namespace

std::expected<Netlink, std::string> open_rdma() {
    auto rdma = Netlink::open(NETLINK_RDMA);
    if (rdma) return std::move(*rdma);
    if (rdma.error() == EPROTONOSUPPORT)
        return std::unexpected("this kernel has no RDMA: ib_core is not loaded, and cannot be");
    return std::unexpected(
        fmt::format("cannot ask the kernel about RDMA devices: {}", std::strerror(rdma.error())));
}

std::expected<std::vector<RdmaDevice>, int> rdma_devices(Netlink& rdma) {
    std::vector<RdmaDevice> found;
    auto asked =
        rdma.ask(Request(type(RDMA_NLDEV_CMD_GET), NLM_F_DUMP), [&](const Attributes& one) {
            const auto index = one.u32(RDMA_NLDEV_ATTR_DEV_INDEX);
            const auto name = one.text(RDMA_NLDEV_ATTR_DEV_NAME);
            if (index && name)
                found.push_back({.index = *index,
                                 .name = *name,
                                 .firmware = one.text(RDMA_NLDEV_ATTR_FW_VERSION).value_or(""),
                                 .netdev_index = {},
                                 .netdev = {}});
        });
    if (!asked) return std::unexpected(asked.error());
    for (RdmaDevice& device : found) find_netdev(rdma, device);
    return found;
}

std::expected<CharacterDevice, int> character_device(Netlink& rdma, std::uint32_t device,
                                                     const std::string& client,
                                                     std::optional<std::uint32_t> port) {
    Request request(type(RDMA_NLDEV_CMD_GET_CHARDEV), 0);
    request.put(RDMA_NLDEV_ATTR_CHARDEV_TYPE, client).put(RDMA_NLDEV_ATTR_DEV_INDEX, device);
    if (port) request.put(RDMA_NLDEV_ATTR_PORT_INDEX, *port);
    return ask_character_device(rdma, request);
}

std::expected<CharacterDevice, int> character_device(Netlink& rdma, const std::string& client) {
    Request request(type(RDMA_NLDEV_CMD_GET_CHARDEV), 0);
    request.put(RDMA_NLDEV_ATTR_CHARDEV_TYPE, client);
    return ask_character_device(rdma, request);
}

}  // namespace vrnic::ctl
