// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "rdma_device.h"

namespace vrnic::ctl {

// A device of vrnic, as netlink alone shows it: no sysfs, no libibverbs.
struct ListedDevice {
    RdmaDevice rdma;
    CharacterDevice uverbs;
    std::optional<CharacterDevice> umad;     // nothing: the device is without kernel verbs
    std::optional<CharacterDevice> rdma_cm;  // of all devices
    std::string pci_address;                 // empty: its netdev is in another namespace
    std::optional<bool> kernel_verbs;   // nothing: the driver is older, or pci_address is empty
    std::vector<std::string> qp_types;  // as above
};

// Devices of vrnic. On failure a line for a person.
std::expected<std::vector<ListedDevice>, std::string> list_devices();

}  // namespace vrnic::ctl
