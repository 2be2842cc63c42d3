// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/completion.h"

#include <cstring>
#include <iterator>

#include "host/log.h"
#include "rdma/qp_states.h"
#include "rdma/work_queue.h"

namespace vrnic {

namespace {

bool post_flushed(TransportContext& context, const QueuePair& qp, std::uint32_t cqn,
                  std::uint32_t index, std::uint16_t flags, std::uint32_t srqn = 0) {
    vrnic_cqe cqe{};
    cqe.srqn = srqn;
    cqe.qpn = qp.qpn;
    cqe.status = VRNIC_WC_WR_FLUSH_ERR;
    cqe.syndrome = VRNIC_SYND_FLUSHED;
    cqe.wqe_index = index;
    cqe.flags = flags;
    return context.cqs.post(cqn, cqe);
}

// Flushes one entry of a queue; a CQ that takes nothing more ends it.
bool flush_ring(TransportContext& context, QueuePair& qp, WorkRing& ring, const Available& entry,
                std::uint32_t cqn, std::uint16_t flags) {
    if (!entry.has_value() || !*entry) return false;
    if (!post_flushed(context, qp, cqn, ring.next, flags)) {
        ring.next = ring.producer;
        return false;
    }
    ++ring.next;
    return true;
}

void put_source(vrnic_cqe& cqe, const DatagramSource& source) {
    constexpr std::uint8_t kIpv4 = 1, kIpv6 = 2;
    cqe.src_qpn = source.qpn;
    std::memcpy(cqe.smac, source.mac.data(), sizeof(cqe.smac));
    cqe.vlan = source.vlan;
    cqe.sl = source.service_level;
    cqe.network_type = source.ipv4 ? kIpv4 : kIpv6;
    cqe.flags = static_cast<std::uint16_t>(VRNIC_CQE_GRH | (source.vlan != 0 ? VRNIC_CQE_VLAN : 0));
}

}  // namespace

void complete_send(TransportContext& context, QueuePair& qp, const SendRequest& request,
                   std::uint8_t status, Syndrome syndrome) {
    if (status == VRNIC_WC_SUCCESS && !qp.signal_all && (request.flags & VRNIC_SQE_SIGNALED) == 0)
        return;
    vrnic_cqe cqe{};
    cqe.qpn = qp.qpn;
    cqe.opcode = request.opcode;
    cqe.status = status;
    cqe.flags = VRNIC_CQE_SEND_QUEUE;
    cqe.syndrome = syndrome;
    cqe.byte_len = request.length;
    cqe.wqe_index = request.entry;
    if (status != VRNIC_WC_SUCCESS && status != VRNIC_WC_WR_FLUSH_ERR)
        guest_error(context.host, "QP {}: send entry {} (opcode {}) failed with status {}: {}",
                    qp.qpn, request.entry, request.opcode, status, syndrome_name(syndrome));
    if (!context.cqs.post(qp.send_cqn, cqe) && qp.state() != VRNIC_QPS_ERR)
        enter_error(context, qp, VRNIC_EVENT_QP_FATAL, VRNIC_SYND_NONE);
}

bool complete_receive(TransportContext& context, QueuePair& qp, const Arrival& arrival,
                      std::uint8_t status, Syndrome syndrome) {
    const ReceiveEntry& entry = qp.responder.entry;
    qp.responder.entry_taken = false;
    vrnic_cqe cqe{};
    cqe.qpn = qp.qpn;
    cqe.src_qpn = qp.attr.dest_qpn;
    cqe.srqn = entry.srqn;
    if (arrival.source) put_source(cqe, *arrival.source);
    cqe.opcode = arrival.opcode;
    cqe.status = status;
    cqe.flags = static_cast<std::uint16_t>(
        cqe.flags | (arrival.solicited ? VRNIC_CQE_SOLICITED : 0) |
        (arrival.has_immediate ? VRNIC_CQE_IMM : 0) | (arrival.invalidated ? VRNIC_CQE_INV : 0));
    cqe.syndrome = syndrome;
    cqe.byte_len = arrival.length;
    if (arrival.invalidated)
        cqe.imm = *arrival.invalidated;
    else
        std::memcpy(&cqe.imm, arrival.immediate.data(), arrival.immediate.size());
    cqe.wqe_index = entry.index;
    if (status != VRNIC_WC_SUCCESS && status != VRNIC_WC_WR_FLUSH_ERR)
        guest_error(context.host, "QP {}: receive entry {} failed with status {}: {}", qp.qpn,
                    entry.index, status, syndrome_name(syndrome));
    return context.cqs.post(entry.cqn, cqe);
}

void enter_error(TransportContext& context, QueuePair& qp) {
    if (qp.state() == VRNIC_QPS_ERR) return;
    qp.attr.state = VRNIC_QPS_ERR;
    qp.attr.sq_draining = 0;
    context.stop_timer(qp);
    qp.timer_due = false;
    qp.requester.rnr_waiting = false;
    qp.responder.message = MessageKind::none;
    qp.responder.num_jobs = 0;
    qp.responder.ack_pending = false;
    qp.responder.failed = false;
    qp.sq.doorbell = true;
    qp.rq.doorbell = true;
    context.make_ready(qp);
}

void enter_error(TransportContext& context, QueuePair& qp, std::uint32_t event, Syndrome reason) {
    guest_error(
        context.host, "QP {}: from {} to ERR: {}", qp.qpn, qp_state_name(qp.state()),
        reason == VRNIC_SYND_NONE ? "its completion queue has failed" : syndrome_name(reason));
    context.events.raise(event, qp.qpn, reason);
    enter_error(context, qp);
}

void forget_xrc_queue(TransportContext& context, QueuePair& qp, std::uint32_t srqn) {
    Responder& responder = qp.responder;
    if (qp.type != VRNIC_QPT_XRC_TGT || !responder.entry_taken || responder.entry.srqn != srqn)
        return;
    responder.entry_taken = false;
    enter_error(context, qp, VRNIC_EVENT_QP_FATAL, VRNIC_SYND_BAD_SRQ);
}

void enter_send_error(TransportContext& context, QueuePair& qp) {
    if (!qp.sends()) return;
    qp.attr.state = VRNIC_QPS_SQE;
    qp.attr.sq_draining = 0;
    qp.sq.doorbell = true;
    context.make_ready(qp);
}

bool flush_send_step(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    if (requester.head != requester.tail) {
        const SendRequest& request = requester.at(requester.head++);
        if (!post_flushed(context, qp, qp.send_cqn, request.entry, VRNIC_CQE_SEND_QUEUE))
            requester.head = requester.tail;
        return true;
    }
    requester.cursor = requester.head;
    requester.cursor_packet = 0;
    return flush_ring(context, qp, qp.sq, send_entry_available(context, qp), qp.send_cqn,
                      VRNIC_CQE_SEND_QUEUE);
}

bool flush_step(TransportContext& context, QueuePair& qp) {
    if (flush_send_step(context, qp)) return true;
    Responder& responder = qp.responder;
    if (responder.entry_taken) {
        responder.entry_taken = false;
        if (post_flushed(context, qp, responder.entry.cqn, responder.entry.index, 0,
                         responder.entry.srqn))
            return true;
    }
    if (qp.takes_shared_entries()) {
        // The others are still there for other queue pairs (IBTA 10.2.9.3, 11.6.3.3).
        if (!responder.last_entry_told) context.events.raise(VRNIC_EVENT_QP_LAST_WQE, qp.qpn);
        responder.last_entry_told = true;
        return false;
    }
    if (qp.rq.next == qp.rq.producer && !qp.rq.doorbell) return false;
    return flush_ring(context, qp, qp.rq, receive_entry_available(context, qp), qp.recv_cqn, 0);
}

}  // namespace vrnic
