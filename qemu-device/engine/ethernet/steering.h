// SPDX-License-Identifier: GPL-2.0-or-later
// Which part of the device a received frame belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/counters.h"
#include "ethernet/port.h"

namespace vrnic {

enum class Destination {
    roce,      // UDP to port 4791 for one of our MACs: the RDMA transport
    ethernet,  // the Ethernet receive ring
    nowhere,   // dropped, and counted
};

// What the transport takes besides packets to the port's own MAC.
struct RoceReception {
    bool groups = false;                  // packets to any group
    std::span<const MacAddress> macs{};  // those to the MACs of its GIDs; few
};

// frame: from the Ethernet header on, without FCS; any content.
Destination steer(std::span<const std::byte> frame, const Port& port, const RoceReception& roce,
                  Counters& counters);

// Bit of vrnic_cmd_set_port.multicast_hash that stands for an address.
unsigned multicast_hash_bit(const std::uint8_t* mac);

}  // namespace vrnic
