// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/datagram.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "rdma/completion.h"
#include "rdma/execute.h"
#include "rdma/requester.h"
#include "rdma/work_queue.h"

namespace vrnic::datagram {

namespace {

constexpr std::uint32_t kPrivileged = 1u << 31;  // Q_Key: that of the QP counts (IBTA 10.2.5)

bool same_address(const DatagramAddress& made, const TransportContext& context,
                  const vrnic_sqe_datagram& to) {
    return made.valid && made.generation == context.addresses_generation && made.qpn == to.qpn &&
           std::memcmp(&made.av, &to.av, sizeof(made.av)) == 0;
}

// Puts the request's peer into the QP. False: the address vector is wrong.
bool find_peer(const TransportContext& context, QueuePair& qp, const vrnic_sqe_datagram& to) {
    DatagramAddress& made = qp.datagram_address;
    if (same_address(made, context, to)) return true;
    made.valid = false;
    auto peer = resolve(context.gids, context.port_mac, to.av, {roce::Service::ud, qp.qpn, to.qpn});
    if (!peer) return false;
    qp.peer = *peer;
    made = {true, context.addresses_generation, to.qpn, to.av};
    return true;
}

void fail(TransportContext& context, QueuePair& qp, std::uint8_t status, Syndrome syndrome) {
    requester::fail_oldest(context, qp, status, syndrome);
}

Route route_of(const TransportContext& context, const QueuePair& qp) {
    if (!qp.peer.multicast) return qp.peer.loopback ? Route::loopback : Route::wire;
    // To those of this device, too.
    return context.multicast.members(qp.peer.remote_gid).empty() ? Route::wire : Route::both;
}

// The GRH, or what IPv4 has in its place: the second half of it (annex A17.4.5.1).
std::array<std::byte, roce::kGrhSize> grh_of(const roce::Packet& packet) {
    std::array<std::byte, roce::kGrhSize> grh{};
    std::ranges::copy(packet.ip_header, grh.end() - packet.ip_header.size());
    return grh;
}

Arrival arrival_of(const QueuePair& qp, const roce::Packet& packet) {
    Arrival arrival;
    arrival.has_immediate = packet.opcode->has(roce::kImmDt);
    arrival.opcode = arrival.has_immediate ? VRNIC_OP_RECV_IMM : VRNIC_OP_RECV;
    arrival.solicited = packet.solicited;
    arrival.immediate = packet.immediate;
    arrival.length = qp.responder.received;
    arrival.source = DatagramSource{.qpn = packet.source_qp,
                                    .mac = packet.source_mac,
                                    .vlan = packet.vlan,
                                    .service_level = packet.priority,
                                    .ipv4 = packet.ipv4};
    return arrival;
}

// On this side: a datagram's sender has nothing to do with it.
void refuse(TransportContext& context, QueuePair& qp, const execute::Refusal& refusal) {
    execute::report(context, qp, refusal);
    enter_error(context, qp);
}

void deliver(TransportContext& context, QueuePair& qp, const roce::Packet& packet) {
    if (!packet.opcode->allows(static_cast<std::uint32_t>(packet.payload.size()),
                               context.config.max_path_mtu))
        return static_cast<void>(++context.counters.roce_rx_malformed);
    if (packet.qkey != qp.attr.qkey) return static_cast<void>(++context.counters.roce_rx_bad_qkey);
    const auto entry = execute::take_receive(context, qp);
    if (!entry) return refuse(context, qp, entry.error());
    // IBTA 9.8.3.2.2: without an entry, or with one that is too small, it is dropped. The entry
    // waits for the next one.
    if (!*entry || roce::kGrhSize + packet.payload.size() > qp.responder.entry.capacity)
        return static_cast<void>(++context.counters.roce_rx_no_receive);
    qp.responder.received = 0;
    const auto grh = grh_of(packet);
    auto placed = execute::place_send(context, qp, grh);
    if (placed) placed = execute::place_send(context, qp, packet.payload);
    if (placed) {
        ++context.counters.roce_send_requests;
        placed = execute::finish_receive(context, qp, arrival_of(qp, packet));
    }
    if (!placed) refuse(context, qp, placed.error());
}

}  // namespace

Step step(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    if (!requester::has_request(context, qp)) return Step::idle;
    const std::uint32_t place = requester.head;
    const SendRequest& request = requester.at(place);
    const auto failed = [&](std::uint8_t status, Syndrome syndrome) {
        fail(context, qp, status, syndrome);
        return Step::worked;
    };
    if (request.error != VRNIC_WC_SUCCESS) return failed(request.error, request.syndrome);
    if (request.length > context.datagram_mtu)
        return failed(VRNIC_WC_LOC_LEN_ERR, VRNIC_SYND_TOO_LONG);
    const auto to = send_segment<vrnic_sqe_datagram>(qp, place);
    if (to.qpn > VRNIC_MULTICAST_QPN || to.reserved != 0 || !find_peer(context, qp, to))
        return failed(VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_ADDRESS);
    const Route route = route_of(context, qp);
    if (context.output.blocked(route)) return Step::blocked;

    roce::PacketFields fields;
    fields.opcode = request.operation().only;
    fields.psn = request.first_psn;
    fields.solicited = (request.flags & VRNIC_SQE_SOLICITED) != 0;
    fields.immediate = request.immediate;
    fields.qkey =
        (to.qkey & kPrivileged) != 0 ? std::uint32_t{qp.attr.qkey} : std::uint32_t{to.qkey};
    fields.source_qp = qp.qpn;
    const auto payload = context.output.begin(qp.peer.path, fields, request.length);
    if (const auto filled = requester::fill_payload(context, qp, request, 0, payload); !filled)
        return failed(VRNIC_WC_LOC_PROT_ERR, filled.error());
    if (!context.output.send(route)) return Step::blocked;
    requester::complete_unanswered(context, qp);
    return Step::sent;
}

void receive(TransportContext& context, QueuePair& qp, const roce::Packet& packet) {
    // IBTA 9.6.1.2: for an address of this port.
    if (!context.gids.contains(packet.destination, packet.vlan)) {
        ++context.counters.roce_rx_wrong_source;
        return;
    }
    deliver(context, qp, packet);
}

void receive_multicast(TransportContext& context, const roce::Packet& packet, bool from_self) {
    const auto members = context.multicast.members(packet.destination);
    if (members.empty()) ++context.counters.roce_rx_unknown_qp;
    for (const std::uint32_t qpn : members) {
        QueuePair& qp = *context.qps.find(qpn);  // one that is destroyed is no member
        if (!qp.receives())
            ++context.counters.roce_rx_bad_state;
        else if (!from_self || packet.source_qp != qpn || !qp.blocks_self_mcast)
            deliver(context, qp, packet);
    }
}

std::uint32_t mtu_of_port(std::uint32_t ethernet_mtu, std::uint32_t max_path_mtu) {
    // The longest headers that a path MTU has to leave room for; those that Linux counts.
    constexpr std::uint32_t kHeaders = roce::kGrhSize + sizeof(roce::UdpHeader) +
                                       sizeof(roce::Bth) + sizeof(roce::Xrceth) +
                                       sizeof(roce::AtomicEth) + roce::kIcrcSize;
    std::uint32_t mtu = 256;
    while (mtu * 2 <= max_path_mtu && mtu * 2 + kHeaders <= ethernet_mtu) mtu *= 2;
    return mtu;
}

}  // namespace vrnic::datagram
