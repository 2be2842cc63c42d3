// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>
#include <optional>
#include <string>

#include "failure.h"
#include "verbs_objects.h"

namespace vrnic::check {

// The opened device, its port 1, and the GID that is used.
struct Device {
    ContextPtr context;
    PdPtr pd;
    std::string name;
    ibv_device_attr attributes{};
    ibv_port_attr port{};
    ibv_gid gid{};
    uint32_t gid_index = 0;

    // `name` empty: the first device. Without `gid_index` the first RoCEv2 GID of the wanted
    // family: IPv4, or IPv6 (a global address before a link-local one).
    static Result<Device> open(const std::string& name, std::optional<uint32_t> gid_index,
                               bool ipv6);
};

std::string to_string(const ibv_gid& gid);
std::optional<ibv_gid> gid_from_string(const std::string& text);

inline constexpr uint8_t kPort = 1;

uint32_t bytes_of(ibv_mtu mtu);
std::optional<ibv_mtu> mtu_of(uint32_t bytes);

}  // namespace vrnic::check
