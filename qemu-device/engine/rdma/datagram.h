// SPDX-License-Identifier: GPL-2.0-or-later
// UD queue pairs: messages of one packet, each with an address of its own (IBTA 9.8.3).
#pragma once

#include "rdma/context.h"
#include "roce/parse.h"

namespace vrnic::datagram {

// Sends one request.
Step step(TransportContext& context, QueuePair& qp);

// A packet for a QP that receives.
void receive(TransportContext& context, QueuePair& qp, const roce::Packet& packet);

// A packet for a group: to all that are attached. from_self: it came from this device.
void receive_multicast(TransportContext& context, const roce::Packet& packet, bool from_self);

// What fits into one datagram on a port with this Ethernet MTU; both in bytes. As the path MTU that
// Linux gives such a port.
std::uint32_t mtu_of_port(std::uint32_t ethernet_mtu, std::uint32_t max_path_mtu);

}  // namespace vrnic::datagram
