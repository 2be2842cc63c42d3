// SPDX-License-Identifier: GPL-2.0-or-later
// From an address vector to what packets to that peer look like.
#pragma once

#include <cstdint>
#include <expected>

#include "rdma/gid_table.h"
#include "roce/build.h"
#include "vrnic_ring.h"

namespace vrnic {

// What is sent to a peer needs the first cache line of this, with IPv4 and no VLAN.
struct alignas(64) Peer {
    bool loopback = false;   // a QP of this device
    bool multicast = false;  // a group's
    roce::PathHeaders path;
    roce::Gid local_gid{};
    roce::Gid remote_gid{};
    roce::MacAddress local_mac{};
    std::uint16_t vlan = 0;  // 0: untagged
};

// Who speaks to whom, beside the address.
struct Ends {
    roce::Service service = roce::Service::rc;
    std::uint32_t qpn = 0;  // the own one
    std::uint32_t destination_qpn = 0;
};

// The error is the offset of the field that is wrong, in struct vrnic_av. Groups are for UD only.
std::expected<Peer, std::uint32_t> resolve(const GidTable& gids, const roce::MacAddress& port_mac,
                                           const vrnic_av& av, const Ends& ends);

}  // namespace vrnic
