// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "list.h"

#include <fmt/format.h>

#include <cstring>
#include <ranges>

#include "devlink_info.h"
#include "pci_address.h"
#include "vrnic-abi.h"

namespace vrnic::ctl {

namespace {

std::optional<CharacterDevice> or_none(std::expected<CharacterDevice, int> found) {
    if (!found) return {};
    return *found;
}

// What only the device's driver knows: devlink carries it.
void ask_driver(ListedDevice& device) {
    const auto info = devlink_info(device.pci_address);
    if (!info) return;
    if (const auto found = info->find("kverbs"); found != info->end())
        device.kernel_verbs = found->second == "on";
    if (const auto found = info->find("qp-types"); found != info->end())
        for (const auto part : std::views::split(found->second, '+'))
            device.qp_types.emplace_back(part.begin(), part.end());
}

}  // namespace

std::expected<std::vector<ListedDevice>, std::string> list_devices() {
    auto rdma = open_rdma();
    if (!rdma) return std::unexpected(rdma.error());
    auto devices = rdma_devices(*rdma);
    if (!devices)
        return std::unexpected(
            fmt::format("cannot list RDMA devices: {}", std::strerror(devices.error())));
    std::vector<ListedDevice> found;
    for (RdmaDevice& one : *devices) {
        auto uverbs = character_device(*rdma, one.index, "uverbs");
        if (!uverbs || uverbs->driver_id != VRNIC_UVERBS_DRIVER_ID) continue;
        ListedDevice device{.rdma = std::move(one),
                            .uverbs = std::move(*uverbs),
                            .umad = {},
                            .rdma_cm = or_none(character_device(*rdma, "rdma_cm")),
                            .pci_address = {},
                            .kernel_verbs = {},
                            .qp_types = {}};
        device.umad = or_none(character_device(*rdma, device.rdma.index, "umad", kPort));
        if (device.rdma.netdev_index)
            device.pci_address = pci_address(*device.rdma.netdev_index).value_or("");
        if (!device.pci_address.empty()) ask_driver(device);
        found.push_back(std::move(device));
    }
    return found;
}

}  // namespace vrnic::ctl
