// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/congestion.h"

#include "roce/build.h"

namespace vrnic::congestion {

namespace {

// Back to where the packet came from: the same addresses the other way round.
roce::Path way_back(const QueuePair& qp, const roce::Packet& packet) {
    roce::Path path;
    path.service = roce::Service::congestion;
    path.source_mac = packet.destination_mac;
    path.destination_mac = packet.source_mac;
    path.has_vlan = packet.vlan != 0;
    path.vlan = packet.vlan;
    path.service_level = packet.priority;
    path.ipv4 = packet.ipv4;
    path.source = packet.destination;
    path.destination = packet.source;
    path.source_qp = qp.qpn;
    path.destination_qp = qp.is_datagram() ? packet.source_qp : std::uint32_t{qp.attr.dest_qpn};
    return path;
}

}  // namespace

void notify(TransportContext& context, QueuePair& qp, const roce::Packet& packet) {
    ++context.counters.roce_np_ecn_marked;
    const Nanoseconds now = context.host.now();
    const bool to_self = packet.source_mac == packet.destination_mac;
    const Route route = to_self ? Route::loopback : Route::wire;
    if (now < qp.next_congestion_notification || context.output.blocked(route)) return;
    qp.next_congestion_notification = now + kNotificationInterval;
    roce::PacketFields fields;
    fields.opcode = roce::kNotification;
    context.output.begin(roce::PathHeaders::make(way_back(qp, packet)), fields, 0);
    if (context.output.send(route)) ++context.counters.roce_np_cnp_sent;
}

void receive(TransportContext& context, const QueuePair& qp, const roce::Packet&) {
    if (qp.sends())
        ++context.counters.roce_rp_cnp_handled;
    else
        ++context.counters.roce_rx_bad_state;
}

}  // namespace vrnic::congestion
