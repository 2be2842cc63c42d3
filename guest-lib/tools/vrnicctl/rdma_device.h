// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// RDMA devices as netlink shows them (RDMA_NL_NLDEV): no sysfs, no names to be guessed.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "netlink.h"

namespace vrnic::ctl {

inline constexpr std::uint32_t kPort = 1;  // the only one that a vrnic has

struct CharacterDevice {
    std::string name;  // below /dev/infiniband, in most systems
    unsigned major, minor;
    std::uint64_t abi;
    std::optional<std::uint32_t> driver_id;  // of uverbs
};

struct RdmaDevice {
    std::uint32_t index;
    std::string name;
    std::string firmware;
    std::optional<std::uint32_t> netdev_index;  // of port 1
    std::string netdev;                         // empty: none that is seen from here
};

// On failure a line for a person.
std::expected<Netlink, std::string> open_rdma();

// All RDMA devices, of any driver.
std::expected<std::vector<RdmaDevice>, int> rdma_devices(Netlink& rdma);

// The device's character device of a client: "uverbs", or "umad" with its port. Loads the client's
// module. ENODEV, ENOENT: it has none, or there is no such client.
std::expected<CharacterDevice, int> character_device(Netlink& rdma, std::uint32_t device,
                                                     const std::string& client,
                                                     std::optional<std::uint32_t> port = {});
// One that is for all devices: "rdma_cm".
std::expected<CharacterDevice, int> character_device(Netlink& rdma, const std::string& client);

}  // namespace vrnic::ctl
