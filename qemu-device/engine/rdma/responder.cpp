// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/responder.h"

#include <algorithm>

#include "rdma/completion.h"
#include "rdma/execute.h"

namespace vrnic::responder {

namespace {

using execute::Cause;
using execute::Refusal;
using execute::Result;
using roce::Operation;
using roce::Packet;

// Unasked for, an acknowledgement goes out after so many packets.
constexpr std::uint32_t kAckEvery = 64;

std::uint32_t response_packets(const QueuePair& qp, std::uint32_t length) {
    return std::max(1u, length / qp.mtu + (length % qp.mtu != 0));
}

// Only the newest acknowledgement matters: it covers all before it.
void pend_ack(TransportContext& context, QueuePair& qp, std::uint8_t syndrome, Psn psn) {
    Responder& responder = qp.responder;
    responder.ack_pending = true;
    responder.ack_syndrome = syndrome;
    responder.ack_psn = psn;
    responder.packets_unacked = 0;
    if (syndrome == roce::kAckUnlimited)
        context.make_ack_ready(qp);
    else
        context.make_ready(qp);
}

std::uint8_t nak_of(Cause cause) {
    switch (cause) {
        case Cause::invalid_request:
            return roce::kNakInvalidRequest;
        case Cause::remote_access:
            return roce::kNakRemoteAccess;
        case Cause::operational:
            break;
    }
    return roce::kNakOperational;
}

// For good: tells both sides. The QP goes to ERR when the NAK is out, so that READs before it are
// answered.
void refuse(TransportContext& context, QueuePair& qp, const Refusal& refusal, Psn psn) {
    execute::report(context, qp, refusal);
    if (qp.state() == VRNIC_QPS_ERR) return;
    qp.responder.failed = true;
    pend_ack(context, qp, nak_of(refusal.cause), psn);
}

Result invalid(Syndrome syndrome) {
    return std::unexpected(Refusal{Cause::invalid_request, syndrome});
}

// ---- duplicates: IBTA 9.7.5.1.1 (SEND, WRITE: acknowledged again) and 9.7.5.1.3 (READ: executed
// again)

void repeat_read(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    const Psn last = packet.psn + (response_packets(qp, packet.length) - 1);
    if (!last.before(responder.expected)) return;  // never asked for like this

    const auto begin = responder.reads.begin();
    const auto end = begin + responder.num_reads;
    const auto job = std::find_if(
        begin, end, [&](const ReadJob& read) { return !read.last_psn.before(packet.psn); });
    const bool covers = job != end && !last.before(job->psn);
    if (covers && !job->psn.after(packet.psn)) return;  // is still to be sent anyway

    const ReadJob again{.psn = packet.psn,
                        .last_psn = last,
                        .address = packet.address,
                        .remaining = packet.length,
                        .rkey = packet.rkey,
                        .started = false,
                        .duplicate = true,
                        .msn = responder.msn};
    if (covers) {
        *job = again;
    } else {
        if (responder.num_reads == kMaxReadJobs) return;  // the peer will ask once more
        std::move_backward(job, end, end + 1);
        *job = again;
        ++responder.num_reads;
    }
    context.make_ready(qp);
}

void receive_duplicate(TransportContext& context, QueuePair& qp, const Packet& packet) {
    ++context.counters.roce_duplicate_requests;
    const Responder& responder = qp.responder;
    const bool nak_pending = responder.ack_pending && responder.ack_syndrome != roce::kAckUnlimited;
    if (packet.opcode->operation == Operation::read_request)
        repeat_read(context, qp, packet);
    else if (!nak_pending)  // it covers the duplicate, too
        pend_ack(context, qp, roce::kAckUnlimited, responder.expected + Psn::kMask);
}

// ---- the stages of an expected packet

// IBTA 9.7.4.1.3: first, middle and last in their order.
Result check_sequence(const QueuePair& qp, const Packet& packet) {
    const MessageKind message = qp.responder.message;
    if (packet.opcode->starts())
        return message == MessageKind::none ? Result{} : invalid(VRNIC_SYND_BAD_OPCODE);
    const MessageKind continued =
        packet.opcode->operation == Operation::send ? MessageKind::send : MessageKind::write;
    return message == continued ? Result{} : invalid(VRNIC_SYND_BAD_OPCODE);
}

Result check_length(const QueuePair& qp, const Packet& packet) {
    return packet.opcode->allows(static_cast<std::uint32_t>(packet.payload.size()), qp.mtu)
               ? Result{}
               : invalid(VRNIC_SYND_TOO_LONG);
}

bool needs_receive_entry(const Packet& packet) {
    if (packet.opcode->operation == Operation::send) return packet.opcode->starts();
    return packet.opcode->operation == Operation::write && packet.opcode->has(roce::kImmDt);
}

Arrival arrival_of(const QueuePair& qp, const Packet& packet) {
    Arrival arrival;
    arrival.has_immediate = packet.opcode->has(roce::kImmDt);
    arrival.opcode = packet.opcode->operation == Operation::write ? VRNIC_OP_RECV_WRITE_IMM
                     : arrival.has_immediate                      ? VRNIC_OP_RECV_IMM
                                                                  : VRNIC_OP_RECV;
    arrival.solicited = packet.solicited;
    arrival.immediate = packet.immediate;
    arrival.length = qp.responder.received;
    return arrival;
}

Result execute_send(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    if (packet.opcode->starts()) {
        responder.message = MessageKind::send;
        responder.received = 0;
    }
    if (auto placed = execute::place_send(context, qp, packet.payload); !placed) return placed;
    if (!packet.opcode->ends()) return {};
    ++context.counters.roce_send_requests;
    return execute::finish_receive(context, qp, arrival_of(qp, packet));
}

Result execute_write(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    if (packet.opcode->starts()) {
        if (auto begun =
                execute::begin_write(context, qp, packet.rkey, packet.address, packet.length);
            !begun)
            return begun;
        responder.message = MessageKind::write;
        responder.received = 0;
        responder.address = packet.address;
        responder.length = packet.length;
        responder.rkey = packet.rkey;
    }
    if (auto placed = execute::place_write(context, qp, packet.payload); !placed) return placed;
    if (!packet.opcode->ends()) return {};
    if (responder.received != responder.length) return invalid(VRNIC_SYND_TOO_LONG);
    ++context.counters.roce_write_requests;
    if (!packet.opcode->has(roce::kImmDt)) return {};
    return execute::finish_receive(context, qp, arrival_of(qp, packet));
}

Result execute_read(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    const auto reads = std::span(responder.reads).first(responder.num_reads);
    const auto fresh = std::count_if(reads.begin(), reads.end(),
                                     [](const ReadJob& read) { return !read.duplicate; });
    if (fresh >= qp.attr.max_dest_rd_atomic) return invalid(VRNIC_SYND_BAD_OPCODE);
    if (auto begun = execute::begin_read(context, qp, packet.rkey, packet.address, packet.length);
        !begun)
        return begun;
    ++context.counters.roce_read_requests;
    const std::uint32_t packets = response_packets(qp, packet.length);
    responder.reads[responder.num_reads++] = {.psn = packet.psn,
                                              .last_psn = packet.psn + (packets - 1),
                                              .address = packet.address,
                                              .remaining = packet.length,
                                              .rkey = packet.rkey,
                                              .started = false,
                                              .duplicate = false,
                                              .msn = responder.msn + 1};
    context.make_ready(qp);
    return {};
}

Result execute_packet(TransportContext& context, QueuePair& qp, const Packet& packet) {
    switch (packet.opcode->operation) {
        case Operation::send:
            return execute_send(context, qp, packet);
        case Operation::write:
            return execute_write(context, qp, packet);
        default:
            return execute_read(context, qp, packet);
    }
}

void receive_expected(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    const bool is_read = packet.opcode->operation == Operation::read_request;
    Result checked = check_sequence(qp, packet);
    if (checked && !packet.opcode->supported) checked = invalid(VRNIC_SYND_BAD_OPCODE);
    if (checked) checked = check_length(qp, packet);
    if (!checked) return refuse(context, qp, checked.error(), packet.psn);

    if (is_read && responder.num_reads == kMaxReadJobs)
        return;  // full of repeated ones: as if lost
    if (needs_receive_entry(packet)) {
        const auto entry = execute::take_receive(context, qp);
        if (!entry) return refuse(context, qp, entry.error(), packet.psn);
        if (!*entry) {
            pend_ack(context, qp, roce::kAethRnrNak | (qp.attr.min_rnr_timer & 31), packet.psn);
            responder.nak_sent = true;
            return;
        }
    }
    if (const Result executed = execute_packet(context, qp, packet); !executed)
        return refuse(context, qp, executed.error(), packet.psn);
    if (qp.state() == VRNIC_QPS_ERR) return;

    responder.nak_sent = false;
    responder.expected = packet.psn + (is_read ? response_packets(qp, packet.length) : 1);
    if (packet.opcode->ends()) {
        responder.message = MessageKind::none;
        responder.msn = (responder.msn + 1) & 0xffffff;
    }
    if (!is_read && (packet.ack_request || ++responder.packets_unacked >= kAckEvery))
        pend_ack(context, qp, roce::kAckUnlimited, packet.psn);
}

// ---- what is sent

void finish_oldest_read(Responder& responder) {
    std::move(responder.reads.begin() + 1, responder.reads.begin() + responder.num_reads,
              responder.reads.begin());
    --responder.num_reads;
}

Step send_read_response(TransportContext& context, QueuePair& qp) {
    Responder& responder = qp.responder;
    ReadJob& job = responder.reads[0];
    if (context.output.blocked(qp.loopback)) return Step::blocked;

    const std::uint32_t bytes = std::min(job.remaining, qp.mtu);
    const bool last = job.psn == job.last_psn;
    roce::PacketFields fields;
    fields.opcode = job.started ? (last ? roce::kReadResponseLast : roce::kReadResponseMiddle)
                                : (last ? roce::kReadResponseOnly : roce::kReadResponseFirst);
    fields.psn = job.psn;
    fields.syndrome = roce::kAckUnlimited;
    fields.msn = job.msn;
    const auto payload = context.output.begin(qp.path, fields, bytes);
    if (const auto fetched = execute::fetch_read(context, qp, job.rkey, job.address, payload);
        !fetched) {
        const Psn psn = job.psn;
        if (job.duplicate) {
            // The peer may long have what it asked for, and the guest have withdrawn the region
            // since: a packet that the network held back must not end the connection. As if it were
            // lost.
            finish_oldest_read(responder);
            return Step::worked;
        }
        responder.num_reads = 0;
        refuse(context, qp, fetched.error(), psn);
        return Step::worked;
    }
    if (!context.output.send(qp.loopback)) return Step::blocked;

    job.started = true;
    job.psn = job.psn + 1;
    job.address += bytes;
    job.remaining -= bytes;
    if (last) {
        // A response acknowledges what comes before it.
        if (responder.ack_pending && responder.ack_syndrome == roce::kAckUnlimited &&
            !responder.ack_psn.after(job.last_psn))
            responder.ack_pending = false;
        finish_oldest_read(responder);
    }
    return Step::sent;
}

Step send_acknowledge(TransportContext& context, QueuePair& qp) {
    Responder& responder = qp.responder;
    if (context.output.blocked(qp.loopback)) return Step::blocked;
    roce::PacketFields fields;
    fields.opcode = roce::kAcknowledge;
    fields.psn = responder.ack_psn;
    fields.syndrome = responder.ack_syndrome;
    fields.msn = responder.msn;
    context.output.begin(qp.path, fields, 0);
    if (!context.output.send(qp.loopback)) return Step::blocked;

    responder.ack_pending = false;
    switch (responder.ack_syndrome & roce::kAethKindMask) {
        case roce::kAethAck:
            ++context.counters.roce_acks_sent;
            break;
        case roce::kAethRnrNak:
            ++context.counters.roce_rnr_nak_sent;
            break;
        default:
            ++context.counters.roce_nak_sent;
            break;
    }
    if (responder.failed) enter_error(context, qp);
    return Step::sent;
}

}  // namespace

void receive(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    if (responder.failed) {
        ++context.counters.roce_rx_bad_state;
        return;
    }
    if (qp.state() == VRNIC_QPS_RTR && !responder.established) {
        responder.established = true;
        context.events.raise(VRNIC_EVENT_QP_COMM_EST, qp.qpn);
    }
    // IBTA 9.7.4.1.2: expected, seen before, or ahead.
    if (packet.psn == responder.expected) {
        receive_expected(context, qp, packet);
    } else if (packet.psn.before(responder.expected)) {
        receive_duplicate(context, qp, packet);
    } else if (!responder.nak_sent) {
        ++context.counters.roce_out_of_sequence;
        pend_ack(context, qp, roce::kNakSequence, responder.expected);
        responder.nak_sent = true;
    }
}

Step step(TransportContext& context, QueuePair& qp) {
    if (!qp.receives()) return Step::idle;
    if (qp.responder.num_reads != 0) return send_read_response(context, qp);
    if (qp.responder.ack_pending) return send_acknowledge(context, qp);
    return Step::idle;
}

}  // namespace vrnic::responder
