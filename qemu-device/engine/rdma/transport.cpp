// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/transport.h"

#include <algorithm>
#include <iterator>

#include "rdma/completer.h"
#include "rdma/completion.h"
#include "rdma/congestion.h"
#include "rdma/context.h"
#include "rdma/datagram.h"
#include "rdma/describe.h"
#include "rdma/qp_commands.h"
#include "rdma/requester.h"
#include "rdma/responder.h"
#include "rdma/unreliable.h"
#include "rdma/work_queue.h"
#include "roce/parse.h"

namespace vrnic {

namespace {

// Steps of one queue pair before the next one has its turn.
constexpr std::uint32_t kQuantum = 32;

void count_bad(Counters& counters, roce::ParseError error) {
    switch (error) {
        case roce::ParseError::bad_icrc:
            ++counters.roce_rx_bad_icrc;
            break;
        case roce::ParseError::bad_opcode:
            ++counters.roce_rx_bad_opcode;
            break;
        default:
            ++counters.roce_rx_malformed;
            break;
    }
}

// A connection takes packets of its peer only (IBTA 9.6.1.3, annex A17.3.1).
bool from_peer(const TransportContext& context, const QueuePair& qp, const roce::Packet& packet) {
    const Peer& peer = qp.peer;
    return roce::same(packet.source, peer.remote_gid) &&
           roce::same(packet.destination, peer.local_gid) && packet.vlan == peer.vlan &&
           (packet.destination_mac == peer.local_mac || packet.destination_mac == context.port_mac);
}

// Membership bit aside, the only partition there is (IBTA 10.9.3).
bool pkey_fits(std::uint16_t pkey) {
    return (pkey & 0x7fff) == (roce::kDefaultPkey & 0x7fff);
}

// With many queue pairs those that have their turn soon are in no cache: of the next but one what
// every turn looks at, and what the next one's points to, come while one is served.
void prefetch(const QueuePair* qp) {
    if (!qp) return;
    __builtin_prefetch(qp);
    __builtin_prefetch(&qp->sq);
    __builtin_prefetch(&qp->requester);
    __builtin_prefetch(&qp->memory);
    __builtin_prefetch(&qp->peer);
    __builtin_prefetch(&qp->responder);
}

void prefetch(const QpTable& qps, const ReadyList& list) {
    if (list.size() > 1) prefetch(qps.by_index(list.at(1)));
    const QueuePair* next = list.empty() ? nullptr : qps.by_index(list.at(0));
    if (next) prefetch_send_entry(*next);
}

}  // namespace

// What came of a queue pair's turn.
enum class Served {
    all,              // there is nothing more to do until something happens
    not_all,          // there is, now
    stalled,          // there is, when the wire takes packets again
    stalled_in_vain,  // the same, and it has sent nothing
};

struct Transport::Impl final : PacketSink {
    Impl(const TransportWorld& world, const TransportConfig& config) : context(world, config) {}

    void arrive(std::span<const std::byte> frame, bool from_self);
    bool take(std::span<const std::byte> frame, bool from_self) override {
        receive(frame, from_self);
        return true;
    }
    void release_held();
    void receive(std::span<const std::byte> frame, bool from_self);
    void receive(QueuePair& qp, const roce::Packet& packet);
    void tell_received(const QueuePair& qp, const roce::Packet& packet,
                       std::span<const std::byte> frame);
    void tell_doorbell(std::uint32_t qpn, std::uint8_t way, std::uint32_t type) {
        if (context.streams.any()) [[unlikely]]
            context.streams.of_qp(qpn, {.what = VRNIC_STREAM_DOORBELL, .way = way, .a = type});
    }
    void receive_counted(QueuePair& qp, const roce::Packet& packet, std::size_t frame_size);
    Step ask(QueuePair& qp);
    Served serve(QueuePair& qp, std::uint32_t& budget);
    Served serve_counted(QueuePair& qp, std::uint32_t& budget);
    QueuePair* next();
    bool has_work() const;
    std::uint32_t bound_to(std::uint32_t counter_set) const {
        return context.qps.count(
            [&](const QueuePair& qp) { return qp.counter_set == counter_set; });
    }

    TransportContext context;
    bool resume_turn = false;
};

// A packet from the wire or of this device itself.
void Transport::Impl::arrive(std::span<const std::byte> frame, bool from_self) {
    if (context.faults.armed(FaultPoint::packet_in)) [[unlikely]]
        context.faults.pass({.direction = Direction::in, .loopback = from_self}, frame, *this);
    else
        receive(frame, from_self);
}

void Transport::Impl::release_held() {
    context.output.release_held();
    context.faults.release(Direction::in, *this);
}

void Transport::Impl::receive(std::span<const std::byte> frame, bool from_self) {
    Counters& counters = context.counters;
    const auto packet = roce::parse(frame);
    if (!packet) return count_bad(counters, packet.error());
    ++counters.roce_rx_packets;
    counters.roce_rx_bytes += frame.size();
    if (!pkey_fits(packet->pkey)) {
        ++counters.roce_rx_bad_pkey;
        return;
    }
    if (packet->destination_qp == VRNIC_MULTICAST_QPN) {
        if (packet->opcode->service() == roce::Service::ud)
            datagram::receive_multicast(context, *packet, from_self);
        else
            ++counters.roce_rx_bad_opcode;
        return;
    }
    QueuePair* qp = context.qps.find(packet->destination_qp);
    if (qp && context.streams.any()) [[unlikely]]
        tell_received(*qp, *packet, frame);
    if (!qp)
        ++counters.roce_rx_unknown_qp;
    else if (qp->counter_set != 0) [[unlikely]]
        receive_counted(*qp, *packet, frame.size());
    else
        receive(*qp, *packet);
}

void Transport::Impl::tell_received(const QueuePair& qp, const roce::Packet& packet,
                                    std::span<const std::byte> frame) {
    context.streams.of_qp(qp.qpn,
                          {.what = VRNIC_STREAM_FRAME, .way = VRNIC_STREAM_IN, .data = frame});
    context.streams.of_qp(qp.qpn, {.what = VRNIC_STREAM_RECEIVED,
                                   .way = VRNIC_STREAM_IN,
                                   .a = packet.psn.value(),
                                   .b = packet.opcode->opcode});
}

void Transport::Impl::receive_counted(QueuePair& qp, const roce::Packet& packet,
                                      std::size_t frame_size) {
    Counters before = context.counters;
    // The packet was counted when it was not yet known whose it is.
    --before.roce_rx_packets;
    before.roce_rx_bytes -= frame_size;
    receive(qp, packet);
    context.counter_sets.add(qp.counter_set, before, context.counters);
}

void Transport::Impl::receive(QueuePair& qp, const roce::Packet& packet) {
    Counters& counters = context.counters;
    if (packet.opcode->operation == roce::Operation::congestion)
        return congestion::receive(context, qp, packet);
    // IBTA 9.6.1.2: opcodes of other transports are not for this QP.
    if (packet.opcode->service() != qp.service()) {
        ++counters.roce_rx_bad_opcode;
        return;
    }
    const bool request = packet.opcode->is_request();
    if (request ? !qp.receives() : !qp.sends()) {
        ++counters.roce_rx_bad_state;
        return;
    }
    if (!qp.is_datagram() && !from_peer(context, qp, packet)) {
        ++counters.roce_rx_wrong_source;
        return;
    }
    if (request && (packet.traffic_class & roce::kEcnMask) == roce::kEcnCongestion) [[unlikely]]
        congestion::notify(context, qp, packet);
    if (!request)
        completer::receive(context, qp, packet);
    else if (qp.is_datagram())
        datagram::receive(context, qp, packet);
    else if (qp.is_reliable())
        responder::receive(context, qp, packet);
    else
        unreliable::receive(context, qp, packet);
}

// Own requests: sends, or flushes those of a send queue in SQE.
Step Transport::Impl::ask(QueuePair& qp) {
    if (qp.state() == VRNIC_QPS_SQE)
        return flush_send_step(context, qp) ? Step::worked : Step::idle;
    return qp.is_datagram() ? datagram::step(context, qp) : requester::step(context, qp);
}

// Answers before own requests, in turns.
Served Transport::Impl::serve(QueuePair& qp, std::uint32_t& budget) {
    if (qp.timer_due) {
        qp.timer_due = false;
        requester::on_timer(context, qp);
    }
    bool sent = false;
    for (std::uint32_t steps = 0; steps < kQuantum && budget > 0; ++steps) {
        if (qp.state() == VRNIC_QPS_ERR) {
            if (!flush_step(context, qp)) return Served::all;
            --budget;
            continue;
        }
        const Step answered = responder::step(context, qp);
        const Step asked = ask(qp);
        if (answered == Step::idle && asked == Step::idle && qp.state() != VRNIC_QPS_ERR)
            return Served::all;
        sent |= answered == Step::sent || asked == Step::sent;
        const bool worked = answered == Step::worked || asked == Step::worked;
        if (!worked && (answered == Step::blocked || asked == Step::blocked)) {
            // The loopback queue empties by itself.
            if (qp.peer.loopback || !context.output.paused()) return Served::not_all;
            return sent ? Served::stalled : Served::stalled_in_vain;
        }
        --budget;
    }
    return Served::not_all;
}

Served Transport::Impl::serve_counted(QueuePair& qp, std::uint32_t& budget) {
    const Counters before = context.counters;
    const Served served = serve(qp, budget);
    context.counter_sets.add(qp.counter_set, before, context.counters);
    return served;
}

// Those that the wire has stalled and those that are ready have turns one after the other. While
// the wire takes nothing, the stalled ones are not even looked at: there may be very many.
QueuePair* Transport::Impl::next() {
    const bool may_resume = !context.output.paused() && !context.stalled.empty();
    if (!may_resume && context.ready.empty()) return nullptr;
    resume_turn = may_resume && (!resume_turn || context.ready.empty());
    ReadyList& list = resume_turn ? context.stalled : context.ready;
    QueuePair* qp = context.qps.by_index(list.pop());
    prefetch(context.qps, list);
    return qp;
}

bool Transport::Impl::has_work() const {
    return !context.ready.empty() || (!context.stalled.empty() && !context.output.paused());
}

Transport::Transport(const TransportWorld& world, const TransportConfig& config)
    : impl_(std::make_unique<Impl>(world, config)) {}
Transport::~Transport() = default;

AdminResult<std::uint32_t> Transport::create_qp(const vrnic_cmd_create_qp& cmd) {
    return vrnic::create_qp(impl_->context, cmd);
}

AdminResult<void> Transport::modify_qp(const vrnic_cmd_modify_qp& cmd) {
    return vrnic::modify_qp(impl_->context, cmd);
}

AdminResult<vrnic_resp_query_qp> Transport::query_qp(std::uint32_t qpn) {
    return vrnic::query_qp(impl_->context, qpn);
}

AdminResult<void> Transport::destroy_qp(std::uint32_t qpn) {
    return vrnic::destroy_qp(impl_->context, qpn);
}

AdminResult<void> Transport::attach_mcast(const vrnic_cmd_mcast& cmd) {
    return vrnic::attach_mcast(impl_->context, cmd);
}

AdminResult<void> Transport::detach_mcast(const vrnic_cmd_mcast& cmd) {
    return vrnic::detach_mcast(impl_->context, cmd);
}

AdminResult<void> Transport::set_gid(const vrnic_cmd_set_gid& cmd) {
    ++impl_->context.addresses_generation;
    return impl_->context.gids.set(cmd);
}

AdminResult<std::uint32_t> Transport::create_srq(const vrnic_cmd_create_srq& cmd) {
    return impl_->context.srqs.create(cmd);
}

AdminResult<void> Transport::modify_srq(const vrnic_cmd_modify_srq& cmd) {
    return impl_->context.srqs.modify(cmd);
}

AdminResult<void> Transport::resize_srq(const vrnic_cmd_resize_srq& cmd) {
    return impl_->context.srqs.resize(cmd);
}

AdminResult<vrnic_resp_query_srq> Transport::query_srq(std::uint32_t srqn) {
    return impl_->context.srqs.query(srqn);
}

AdminResult<void> Transport::destroy_srq(std::uint32_t srqn) {
    TransportContext& context = impl_->context;
    const SharedReceiveQueue* srq = context.srqs.find(srqn);
    const bool is_xrc = srq && srq->is_xrc();
    auto destroyed = context.srqs.destroy(srqn);
    if (destroyed) context.streams.forget(VRNIC_CONTEXT_SRQ, srqn);
    // XRC: nobody who was made with it stands in the way, but some may be using an entry.
    if (destroyed && is_xrc)
        context.qps.for_each([&](QueuePair& qp) { forget_xrc_queue(context, qp, srqn); });
    return destroyed;
}

AdminResult<std::uint32_t> Transport::create_counters() {
    return impl_->context.counter_sets.create();
}

AdminResult<void> Transport::destroy_counters(std::uint32_t number) {
    return impl_->context.counter_sets.destroy(number, impl_->bound_to(number));
}

AdminResult<void> Transport::bind_counters(const vrnic_cmd_bind_counters& cmd) {
    QueuePair* qp = impl_->context.qps.find(cmd.qpn);
    if (!qp) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_bind_counters, qpn));
    if (cmd.counters != 0 && !impl_->context.counter_sets.find(cmd.counters))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_bind_counters, counters));
    qp->counter_set = cmd.counters;
    return {};
}

std::optional<Counters> Transport::counters(std::uint32_t number) const {
    const TransportContext& context = impl_->context;
    if (number == VRNIC_COUNTERS_DEVICE) return context.counters;
    if (number == VRNIC_COUNTERS_UNBOUND) {
        Counters rest;
        rest.add_difference(context.counter_sets.all(), context.counters);
        return rest;
    }
    if (const Counters* set = context.counter_sets.find(number)) return *set;
    return std::nullopt;
}

std::optional<vrnic_qp_context> Transport::describe_qp(std::uint32_t qpn) const {
    const QueuePair* qp = impl_->context.qps.find(qpn);
    if (!qp) return std::nullopt;
    return describe(impl_->context, *qp);
}

AdminResult<void> Transport::expire_timer(std::uint32_t qpn) {
    TransportContext& context = impl_->context;
    QueuePair* qp = context.qps.find(qpn);
    if (!qp) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_call_object, number));
    const std::uint32_t index = QpTable::index(qpn);
    if (!context.timers.running(index)) return admin_error(VRNIC_STATUS_BAD_STATE);
    context.timers.cancel(index);
    qp->timer_due = true;
    context.make_ready(*qp);
    return {};
}

std::optional<vrnic_srq_context> Transport::describe_srq(std::uint32_t srqn) const {
    const SharedReceiveQueue* srq = impl_->context.srqs.find(srqn);
    if (!srq) return std::nullopt;
    return describe(*srq);
}

std::optional<vrnic_counters_context> Transport::describe_counters(std::uint32_t number) const {
    if (!impl_->context.counter_sets.find(number)) return std::nullopt;
    vrnic_counters_context out{};
    out.number = number;
    out.users = impl_->bound_to(number);
    return out;
}

std::uint32_t Transport::users_of_pd(std::uint32_t pdn) const {
    return impl_->context.qps.count([&](const QueuePair& qp) { return qp.pdn == pdn; }) +
           impl_->context.srqs.srqs_of_pd(pdn);
}

std::uint32_t Transport::users_of_xrcd(std::uint32_t xrcdn) const {
    return impl_->context.qps.count([&](const QueuePair& qp) { return qp.xrcdn == xrcdn; }) +
           impl_->context.srqs.srqs_of_xrcd(xrcdn);
}

std::uint32_t Transport::qps_of_uar(std::uint32_t uar) const {
    return impl_->context.qps.count([&](const QueuePair& qp) { return qp.uar == uar; });
}

bool Transport::has_multicast_groups() const {
    return !impl_->context.multicast.empty();
}

std::span<const roce::MacAddress> Transport::gid_macs() const {
    return impl_->context.gids.macs();
}

bool Transport::ring_sq(std::uint32_t qpn, std::uint32_t uar) {
    QueuePair* qp = impl_->context.qps.find(qpn);
    if (!qp || qp->uar != uar) return false;
    impl_->tell_doorbell(qpn, VRNIC_STREAM_OUT, VRNIC_DB_TYPE_SQ);
    qp->sq.doorbell = true;
    impl_->context.make_ready(*qp);
    return true;
}

bool Transport::ring_rq(std::uint32_t qpn, std::uint32_t uar) {
    QueuePair* qp = impl_->context.qps.find(qpn);
    if (!qp || qp->uar != uar) return false;
    impl_->tell_doorbell(qpn, VRNIC_STREAM_IN, VRNIC_DB_TYPE_RQ);
    // Only flushing has to be told of new entries; else the index is read when a message comes.
    qp->rq.doorbell = true;
    if (qp->state() == VRNIC_QPS_ERR) impl_->context.make_ready(*qp);
    return true;
}

void Transport::receive(std::span<const std::byte> frame) {
    impl_->arrive(frame, false);
}

bool Transport::run(std::uint32_t budget) {
    TransportContext& context = impl_->context;
    LoopbackQueue& loopback = context.output.loopback();
    if (context.faults.holds_packets()) [[unlikely]]
        impl_->release_held();
    while (budget > 0 && (!loopback.empty() || impl_->has_work())) {
        while (budget > 0 && !loopback.empty()) {
            context.wire.passed(Direction::in, loopback.front());
            impl_->arrive(loopback.front(), true);
            loopback.pop();
            if (context.faults.holds_packets()) [[unlikely]]
                impl_->release_held();
            --budget;
        }
        if (budget == 0 || !impl_->has_work()) continue;
        // One that was destroyed since it became ready is not there any more.
        QueuePair* qp = impl_->next();
        if (!qp) continue;
        const bool counted = qp->counter_set != 0;
        switch (counted ? impl_->serve_counted(*qp, budget) : impl_->serve(*qp, budget)) {
            case Served::all:
                break;
            case Served::not_all:
                context.make_ready(*qp);
                break;
            // Who has sent waits behind those who have not, so that a wire that takes little at a
            // time is shared.
            case Served::stalled:
                context.stalled.push(QpTable::index(qp->qpn));
                break;
            case Served::stalled_in_vain:
                context.stalled.push_front(QpTable::index(qp->qpn));
                break;
        }
    }
    const bool acks_wait_for_run = !context.acks.empty() && !context.ack_coalescing.holds();
    return !loopback.empty() || impl_->has_work() || acks_wait_for_run;
}

void Transport::release_acks() {
    TransportContext& context = impl_->context;
    if (!context.ack_coalescing.due(context.host.now())) return;
    context.ack_coalescing.released();
    while (!context.acks.empty()) context.ready.push(context.acks.pop());
}

void Transport::wire_ready() {
    impl_->context.output.wire_ready();
}

Nanoseconds Transport::next_deadline() const {
    return std::min(impl_->context.timers.next(), impl_->context.ack_coalescing.deadline());
}

void Transport::on_deadline(Nanoseconds now) {
    TransportContext& context = impl_->context;
    release_acks();
    while (const auto due = context.timers.pop_due(now)) {
        QueuePair* qp = context.qps.by_index(due->index);
        if (!qp || requester::excuse_late_timer(context, *qp, due->deadline, now)) continue;
        qp->timer_due = true;
        context.make_ready(*qp);
    }
}

void Transport::set_port(bool up, const std::uint8_t (&mac)[6], std::uint32_t mtu) {
    TransportContext& context = impl_->context;
    context.output.set_link(up);
    std::copy(std::begin(mac), std::end(mac), context.port_mac.begin());
    ++context.addresses_generation;
    context.datagram_mtu = datagram::mtu_of_port(mtu, context.config.max_path_mtu);
}

void Transport::reset() {
    TransportContext& context = impl_->context;
    context.qps.clear();
    context.counter_sets.reset();
    context.srqs.reset();
    context.multicast.reset();
    context.gids.reset();
    ++context.addresses_generation;
    context.timers.clear();
    context.ready.clear();
    context.stalled.clear();
    context.acks.clear();
    context.ack_coalescing.released();
    context.output.reset();
}

}  // namespace vrnic
