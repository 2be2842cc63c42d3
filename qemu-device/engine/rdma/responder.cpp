// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/responder.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "rdma/completion.h"
#include "rdma/execute.h"
#include "rdma/message.h"
#include "rdma/work_queue.h"

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

// ---- the answers that are still to be sent

bool is_acknowledged(const Packet& packet) {
    return packet.opcode->operation == Operation::send ||
           packet.opcode->operation == Operation::write;
}

// The first job that is not wholly before psn, or the end of the jobs.
ResponseJob* find_job(Responder& responder, Psn psn) {
    ResponseJob* const begin = responder.jobs.data();
    return std::find_if(begin, begin + responder.num_jobs,
                        [psn](const ResponseJob& job) { return !job.last_psn.before(psn); });
}

// False: there is no room.
bool insert_job(Responder& responder, ResponseJob* before, const ResponseJob& job) {
    if (responder.num_jobs == kMaxResponseJobs) return false;
    ResponseJob* end = responder.jobs.data() + responder.num_jobs;
    std::move_backward(before, end, end + 1);
    *before = job;
    ++responder.num_jobs;
    return true;
}

// Of the keys of a request that comes again.
std::optional<std::uint32_t> pd_of(TransportContext& context, const QueuePair& qp,
                                   const Packet& packet) {
    if (qp.service() != roce::Service::xrc) return qp.pdn;
    const SharedReceiveQueue* srq = context.srqs.find(packet.xrc_srq);
    if (!srq || srq->xrcdn != qp.xrcdn) return std::nullopt;
    return srq->pdn;
}

// ---- duplicates: IBTA 9.7.5.1.1 (SEND, WRITE: acknowledged again) and 9.7.5.1.3 (READ: executed
// again; atomic: answered again with what it found then, never executed again)

void repeat_read(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    const Psn last = packet.psn + (response_packets(qp, packet.length) - 1);
    if (!last.before(responder.expected)) return;  // never asked for like this

    ResponseJob* job = find_job(responder, packet.psn);
    const bool covers = job != responder.jobs.data() + responder.num_jobs && !last.before(job->psn);
    if (covers && !job->psn.after(packet.psn)) return;  // is still to be sent anyway

    const auto pdn = pd_of(context, qp, packet);
    if (!pdn) return;  // the queue is gone: so is whoever asked
    const ResponseJob again{.psn = packet.psn,
                            .last_psn = last,
                            .address = packet.address,
                            .remaining = packet.length,
                            .rkey = packet.rkey,
                            .pdn = *pdn,
                            .duplicate = true,
                            .msn = responder.msn};
    if (covers)
        *job = again;
    else if (!insert_job(responder, job, again))
        return;  // the peer will ask once more
    context.make_ready(qp);
}

void repeat_atomic(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    const auto result = std::ranges::find_if(responder.atomic_results, [&](const auto& one) {
        return one.valid && one.psn == packet.psn;
    });
    if (result == responder.atomic_results.end()) return;  // so old that nobody waits for it

    ResponseJob* job = find_job(responder, packet.psn);
    if (job != responder.jobs.data() + responder.num_jobs && !job->psn.after(packet.psn))
        return;  // is still to be sent anyway
    if (insert_job(responder, job,
                   {.psn = packet.psn,
                    .last_psn = packet.psn,
                    .address = result->original,
                    .answer = Answer::atomic,
                    .duplicate = true,
                    .msn = responder.msn}))
        context.make_ready(qp);
}

// ATOMIC WRITE, FLUSH: what they did is done (IBTA A19.4).
void repeat_placed(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    ResponseJob* job = find_job(responder, packet.psn);
    if (job != responder.jobs.data() + responder.num_jobs && !job->psn.after(packet.psn)) return;
    if (insert_job(responder, job,
                   {.psn = packet.psn,
                    .last_psn = packet.psn,
                    .answer = Answer::placed,
                    .duplicate = true,
                    .msn = responder.msn}))
        context.make_ready(qp);
}

void receive_duplicate(TransportContext& context, QueuePair& qp, const Packet& packet) {
    ++context.counters.roce_duplicate_requests;
    const Responder& responder = qp.responder;
    const bool nak_pending = responder.ack_pending && responder.ack_syndrome != roce::kAckUnlimited;
    if (packet.opcode->operation == Operation::read_request)
        repeat_read(context, qp, packet);
    else if (packet.opcode->operation == Operation::atomic_request)
        repeat_atomic(context, qp, packet);
    else if (!is_acknowledged(packet))
        repeat_placed(context, qp, packet);
    else if (!nak_pending)  // it covers the duplicate, too
        pend_ack(context, qp, roce::kAckUnlimited, responder.expected + Psn::kMask);
}

// ---- the stages of an expected packet

// Each XRC request names the queue whose PD it uses, the same in all packets of a message
// (IBTA A14.4.2).
Result find_xrc_queue(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    const auto violated = [] {
        return std::unexpected(Refusal{Cause::remote_access, VRNIC_SYND_BAD_SRQ});
    };
    if (responder.message != MessageKind::none && packet.xrc_srq != responder.xrc_srqn)
        return violated();
    responder.xrc_srqn = packet.xrc_srq;
    const SharedReceiveQueue* srq = shared_queue(context, qp);
    if (!srq) return violated();
    responder.xrc_pdn = srq->pdn;
    return {};
}

// IBTA 9.7.4.1.4: no more READs and atomics at once than were agreed on.
bool room_for_another(const QueuePair& qp) {
    const auto jobs = std::span(qp.responder.jobs).first(qp.responder.num_jobs);
    const auto fresh = std::ranges::count_if(jobs, [](const ResponseJob& job) {
        return !job.duplicate && job.answer != Answer::placed;
    });
    return fresh < qp.attr.max_dest_rd_atomic;
}

Result execute_read(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    if (!room_for_another(qp)) return invalid(VRNIC_SYND_BAD_OPCODE);
    if (auto begun = execute::begin_read(context, qp, packet.rkey, packet.address, packet.length);
        !begun)
        return begun;
    ++context.counters.roce_read_requests;
    const std::uint32_t packets = response_packets(qp, packet.length);
    responder.jobs[responder.num_jobs++] = {.psn = packet.psn,
                                            .last_psn = packet.psn + (packets - 1),
                                            .address = packet.address,
                                            .remaining = packet.length,
                                            .rkey = packet.rkey,
                                            .pdn = qp.key_user().pdn,
                                            .msn = responder.msn + 1};
    // While the requester may have more of them in the same stream, short answers wait as
    // acknowledgements do. When it may not, it waits for these.
    if (packets == 1 && responder.num_jobs < qp.attr.max_dest_rd_atomic)
        context.make_ack_ready(qp);
    else
        context.make_ready(qp);
    return {};
}

Result execute_atomic(TransportContext& context, QueuePair& qp, const Packet& packet) {
    using Kind = AtomicOperation::Kind;
    Responder& responder = qp.responder;
    if (!room_for_another(qp)) return invalid(VRNIC_SYND_BAD_OPCODE);
    const bool swaps = (packet.opcode->opcode & roce::kOpcodeMask) == roce::kCompareSwap;
    const auto original = execute::change_word(
        context, qp, packet.rkey, packet.address,
        {swaps ? Kind::compare_swap : Kind::fetch_add, packet.swap_or_add, packet.compare});
    if (!original) return std::unexpected(original.error());
    ++context.counters.roce_atomic_requests;
    responder.atomic_results[responder.next_atomic_result++ % kMaxRdAtomic] = {
        .valid = true, .psn = packet.psn, .original = *original};
    responder.jobs[responder.num_jobs++] = {.psn = packet.psn,
                                            .last_psn = packet.psn,
                                            .address = *original,
                                            .answer = Answer::atomic,
                                            .msn = responder.msn + 1};
    context.make_ready(qp);
    return {};
}

Result execute_placed(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Result executed;
    if (packet.opcode->operation == Operation::atomic_write) {
        vrnic_le64 value;
        std::memcpy(&value, packet.payload.data(), sizeof(value));
        executed = execute::write_word(context, qp, packet.rkey, packet.address, value);
    } else {
        executed = execute::flush(context, qp, packet.rkey, packet.address, packet.length,
                                  packet.flush_placement, packet.flush_level);
    }
    if (!executed) return executed;
    Responder& responder = qp.responder;
    responder.jobs[responder.num_jobs++] = {.psn = packet.psn,
                                            .last_psn = packet.psn,
                                            .answer = Answer::placed,
                                            .msn = responder.msn + 1};
    context.make_ready(qp);
    return {};
}

// VRNIC_CAP_* that a device must have for a request with an answer of its own.
std::uint64_t needs_of(Operation operation) {
    switch (operation) {
        case Operation::atomic_request:
            return VRNIC_CAP_ATOMIC;
        case Operation::atomic_write:
            return VRNIC_CAP_ATOMIC_WRITE;
        case Operation::flush:
            return VRNIC_CAP_FLUSH_GLOBAL;
        default:
            return 0;
    }
}

Result execute_packet(TransportContext& context, QueuePair& qp, const Packet& packet) {
    switch (packet.opcode->operation) {
        case Operation::send:
        case Operation::write:
            return message::execute(context, qp, packet);
        case Operation::atomic_request:
            return execute_atomic(context, qp, packet);
        case Operation::atomic_write:
        case Operation::flush:
            return execute_placed(context, qp, packet);
        default:
            return execute_read(context, qp, packet);
    }
}

void receive_expected(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    const bool fetches = !is_acknowledged(packet);
    if (qp.service() == roce::Service::xrc)
        if (const Result found = find_xrc_queue(context, qp, packet); !found)
            return refuse(context, qp, found.error(), packet.psn);
    if (const Result checked = message::check(qp, packet); !checked)
        return refuse(context, qp, checked.error(), packet.psn);
    if (fetches && !context.config.offers(needs_of(packet.opcode->operation)))
        return refuse(context, qp, {Cause::invalid_request, VRNIC_SYND_BAD_OPCODE}, packet.psn);

    if (fetches && responder.num_jobs == kMaxResponseJobs)
        return;  // full of repeated ones: as if lost
    if (message::needs_receive_entry(packet)) {
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
    const bool reads = packet.opcode->operation == Operation::read_request;
    responder.expected = packet.psn + (reads ? response_packets(qp, packet.length) : 1);
    if (packet.opcode->ends()) {
        responder.message = MessageKind::none;
        responder.msn = (responder.msn + 1) & 0xffffff;
    }
    if (!fetches && (packet.ack_request || ++responder.packets_unacked >= kAckEvery))
        pend_ack(context, qp, roce::kAckUnlimited, packet.psn);
}

// ---- what is sent

void drop_oldest_job(Responder& responder) {
    std::move(responder.jobs.begin() + 1, responder.jobs.begin() + responder.num_jobs,
              responder.jobs.begin());
    --responder.num_jobs;
}

void finish_oldest_job(Responder& responder) {
    // A response acknowledges what comes before it.
    if (responder.ack_pending && responder.ack_syndrome == roce::kAckUnlimited &&
        !responder.ack_psn.after(responder.jobs[0].last_psn))
        responder.ack_pending = false;
    drop_oldest_job(responder);
}

// An atomic's or, to a request that brings no data, an empty one.
Step send_single_response(TransportContext& context, QueuePair& qp) {
    Responder& responder = qp.responder;
    const ResponseJob& job = responder.jobs[0];
    if (context.output.blocked(qp.peer.loopback)) return Step::blocked;
    roce::PacketFields fields;
    fields.opcode =
        job.answer == Answer::atomic ? roce::kAtomicAcknowledge : roce::kReadResponseOnly;
    fields.psn = job.psn;
    fields.syndrome = roce::kAckUnlimited;
    fields.msn = job.msn;
    fields.original = job.address;
    context.output.begin(qp.peer.path, fields, 0);
    if (!context.output.send(qp.peer.loopback)) return Step::blocked;
    finish_oldest_job(responder);
    return Step::sent;
}

Step send_read_response(TransportContext& context, QueuePair& qp) {
    Responder& responder = qp.responder;
    ResponseJob& job = responder.jobs[0];
    if (context.output.blocked(qp.peer.loopback)) return Step::blocked;

    const std::uint32_t bytes = std::min(job.remaining, qp.mtu);
    const bool last = job.psn == job.last_psn;
    roce::PacketFields fields;
    fields.opcode = job.started ? (last ? roce::kReadResponseLast : roce::kReadResponseMiddle)
                                : (last ? roce::kReadResponseOnly : roce::kReadResponseFirst);
    fields.psn = job.psn;
    fields.syndrome = roce::kAckUnlimited;
    fields.msn = job.msn;
    const auto payload = context.output.begin(qp.peer.path, fields, bytes);
    if (const auto fetched =
            execute::fetch_read(context, {job.pdn, qp.qpn}, job.rkey, job.address, payload);
        !fetched) {
        const Psn psn = job.psn;
        if (job.duplicate) {
            // The peer may long have what it asked for, and the guest have withdrawn the region
            // since: a packet that the network held back must not end the connection. As if it were
            // lost.
            drop_oldest_job(responder);
            return Step::worked;
        }
        responder.num_jobs = 0;
        refuse(context, qp, fetched.error(), psn);
        return Step::worked;
    }
    if (!context.output.send(qp.peer.loopback)) return Step::blocked;

    job.started = true;
    job.psn = job.psn + 1;
    job.address += bytes;
    job.remaining -= bytes;
    if (last) finish_oldest_job(responder);
    return Step::sent;
}

Step send_acknowledge(TransportContext& context, QueuePair& qp) {
    Responder& responder = qp.responder;
    if (context.output.blocked(qp.peer.loopback)) return Step::blocked;
    roce::PacketFields fields;
    fields.opcode = roce::kAcknowledge;
    fields.psn = responder.ack_psn;
    fields.syndrome = responder.ack_syndrome;
    fields.msn = responder.msn;
    context.output.begin(qp.peer.path, fields, 0);
    if (!context.output.send(qp.peer.loopback)) return Step::blocked;

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
    if (qp.responder.num_jobs != 0)
        return qp.responder.jobs[0].answer == Answer::read ? send_read_response(context, qp)
                                                           : send_single_response(context, qp);
    if (qp.responder.ack_pending) return send_acknowledge(context, qp);
    return Step::idle;
}

void send_last_answers(TransportContext& context, QueuePair& qp) {
    for (std::uint32_t i = 0; i <= kMaxResponseJobs; ++i) {
        const Step done = step(context, qp);
        if (done == Step::idle || done == Step::blocked) return;
    }
}

}  // namespace vrnic::responder
