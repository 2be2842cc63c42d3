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
    roce,      // UDP to port 4791 for our MAC: the RDMA transport
    ethernet,  // the Ethernet receive ring
    nowhere,   // dropped, and counted
};

// frame: from the Ethernet header on, without FCS; any content. takes_groups: RoCE packets to any
// group are for the transport, too.
Destination steer(std::span<const std::byte> frame, const Port& port, bool takes_groups,
                  Counters& counters);

// Bit of vrnic_cmd_set_port.multicast_hash that stands for an address.
unsigned multicast_hash_bit(const std::uint8_t* mac);

}  // namespace vrnic
