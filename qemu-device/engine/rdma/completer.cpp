// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/completer.h"

#include <algorithm>
#include <array>

#include "rdma/completion.h"
#include "rdma/memory_access.h"
#include "rdma/requester.h"
#include "rdma/work_queue.h"

namespace vrnic::completer {

namespace {

// IBTA table 46, in units of 10 us.
constexpr std::array<std::uint32_t, 32> kRnrDelays = {
    65536, 1,    2,    3,    4,    6,     8,     12,    16,    24,   32,
    48,    64,   96,   128,  192,  256,   384,   512,   768,   1024, 1536,
    2048,  3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152};

// The head of the ring moved on: the cursor and what counts with it must not stay behind.
void pull_cursor(Requester& requester) {
    if (static_cast<std::int32_t>(requester.cursor - requester.head) < 0) {
        requester.cursor = requester.head;
        requester.cursor_packet = 0;
    }
    if (requester.cursor != requester.head || requester.head == requester.tail) return;
    const SendRequest& oldest = requester.at(requester.head);
    if (oldest.fetches() || oldest.packets == 0) return;
    const std::int32_t acknowledged = requester.unacked - oldest.first_psn;
    if (acknowledged > static_cast<std::int32_t>(requester.cursor_packet))
        requester.cursor_packet = static_cast<std::uint32_t>(acknowledged);
}

// Completes the oldest request and takes it off.
void complete_oldest(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    const SendRequest& request = requester.at(requester.head);
    if (request.fetches() && requester.head != requester.cursor) --requester.fetches_outstanding;
    ++requester.head;
    complete_send(context, qp, request, VRNIC_WC_SUCCESS, VRNIC_SYND_NONE);
}

// Everything before end is acknowledged. False: responses of a READ or atomic before it are missing
// (IBTA 9.7.5.2.3: an implied NAK), up to which everything counts as acknowledged.
bool acknowledge_before(TransportContext& context, QueuePair& qp, Psn end) {
    Requester& requester = qp.requester;
    const Psn before = requester.unacked;
    bool complete = true;
    Psn reached = end;
    while (requester.head != requester.tail && qp.state() != VRNIC_QPS_ERR) {
        const SendRequest& oldest = requester.at(requester.head);
        if (oldest.packets == 0 || !oldest.first_psn.before(end)) break;
        if (oldest.fetches() && oldest.responses < oldest.packets) {
            const Psn missing = oldest.first_psn + oldest.responses;
            if (missing.before(end)) {
                complete = false;
                reached = missing;
            }
            break;
        }
        if (!oldest.last_psn().before(end)) break;
        complete_oldest(context, qp);
    }
    if (reached.after(requester.unacked)) requester.unacked = reached;
    pull_cursor(requester);
    if (requester.unacked == before) return complete;
    if (context.streams.any()) [[unlikely]]
        context.streams.of_qp(
            qp.qpn,
            {.what = VRNIC_STREAM_ACKED, .way = VRNIC_STREAM_IN, .a = requester.unacked.value()});
    if (qp.state() != VRNIC_QPS_ERR) requester::note_progress(context, qp);
    return complete;
}

// Once for each gap: all later packets tell of the same one.
void note_missing_responses(TransportContext& context, QueuePair& qp) {
    if (qp.requester.read_gap_noted || qp.requester.rnr_waiting) return;
    ++context.counters.roce_implied_nak_seq_err;
    requester::retry(context, qp, VRNIC_SYND_NAK_SEQUENCE);
    qp.requester.read_gap_noted = true;
}

void receive_rnr_nak(TransportContext& context, QueuePair& qp, std::uint8_t timer) {
    Requester& requester = qp.requester;
    if (requester.rnr_waiting) return;
    ++context.counters.roce_rnr_nak_received;
    if (requester.rnr_retries_left == 0) {
        ++context.counters.roce_rnr_retry_exceeded;
        requester::fail_oldest(context, qp, VRNIC_WC_RNR_RETRY_EXC_ERR, VRNIC_SYND_RNR);
        return;
    }
    if (qp.attr.rnr_retry != 7) --requester.rnr_retries_left;  // 7: for ever
    requester.rnr_waiting = requester.not_ready_noted = true;
    requester::go_back(qp);
    context.set_timer(qp, context.host.now() + rnr_delay(timer));
}

void receive_nak(TransportContext& context, QueuePair& qp, std::uint8_t syndrome) {
    switch (syndrome) {
        case roce::kNakSequence:
            ++context.counters.roce_packet_seq_err;
            if (qp.requester.rnr_waiting) return;
            // A slow peer also tells of the packets that were behind the one it had no entry for,
            // when the wait is long over. That costs a RNR retry already (IBTA 9.7.5.2.8).
            if (qp.requester.not_ready_noted)
                requester::send_again(context, qp);
            else
                requester::retry(context, qp, VRNIC_SYND_NAK_SEQUENCE);
            return;
        case roce::kNakInvalidRequest:
            requester::fail_oldest(context, qp, VRNIC_WC_REM_INV_REQ_ERR, VRNIC_SYND_NAK_INVALID);
            return;
        case roce::kNakRemoteAccess:
            requester::fail_oldest(context, qp, VRNIC_WC_REM_ACCESS_ERR, VRNIC_SYND_NAK_ACCESS);
            return;
        case roce::kNakOperational:
            requester::fail_oldest(context, qp, VRNIC_WC_REM_OP_ERR, VRNIC_SYND_NAK_OPERATIONAL);
            return;
        default:
            requester::fail_oldest(context, qp, VRNIC_WC_BAD_RESP_ERR, VRNIC_SYND_BAD_RESPONSE);
    }
}

void receive_acknowledge(TransportContext& context, QueuePair& qp, const roce::Packet& packet) {
    ++context.counters.roce_acks_received;
    const std::uint8_t kind = packet.syndrome & roce::kAethKindMask;
    // A NAK acknowledges what comes before it (IBTA 9.7.5.1.2).
    const Psn end = kind == roce::kAethAck ? packet.psn + 1 : packet.psn;
    const bool complete = acknowledge_before(context, qp, end);
    if (qp.state() == VRNIC_QPS_ERR) return;
    if (!complete)
        note_missing_responses(context, qp);
    else if (kind == roce::kAethRnrNak)
        receive_rnr_nak(context, qp, packet.syndrome & roce::kAethValueMask);
    else if (kind != roce::kAethAck)
        receive_nak(context, qp, packet.syndrome);
}

// As many bytes as are due, and the last one is the last one.
bool read_response_fits(const QueuePair& qp, const SendRequest& request,
                        const roce::Packet& packet) {
    const std::uint64_t offset = std::uint64_t{request.responses} * qp.mtu;
    const std::uint64_t expected = request.operation().fills_list()
                                       ? std::min<std::uint64_t>(request.length - offset, qp.mtu)
                                       : 0;
    return packet.payload.size() == expected &&
           packet.opcode->ends() == (packet.psn == request.last_psn());
}

AccessResult place_response(TransportContext& context, const QueuePair& qp,
                            const SendRequest& request, const roce::Packet& packet) {
    if (!request.operation().fills_list()) return {};
    const auto list = send_list(qp, qp.requester.head);
    if (request.operation().answer == Answer::read)
        return scatter(context, qp.pdn, list, std::uint64_t{request.responses} * qp.mtu,
                       packet.payload);
    vrnic_le64 original;
    original = packet.original;
    return scatter(context, qp.pdn, list, 0, std::as_bytes(std::span(&original, 1)));
}

void receive_response(TransportContext& context, QueuePair& qp, const roce::Packet& packet) {
    Requester& requester = qp.requester;
    const bool complete = acknowledge_before(context, qp, packet.psn);
    if (qp.state() == VRNIC_QPS_ERR) return;
    if (!complete) {
        note_missing_responses(context, qp);
        return;
    }
    if (requester.head == requester.tail) return;
    SendRequest& request = requester.at(requester.head);
    const auto wrong = [&] {
        requester::fail_oldest(context, qp, VRNIC_WC_BAD_RESP_ERR, VRNIC_SYND_BAD_RESPONSE);
    };
    const Answer answer = request.operation().answer;
    const auto kind = answer == Answer::atomic ? roce::Operation::atomic_response
                                               : roce::Operation::read_response;
    if (!request.fetches() || packet.opcode->operation != kind ||
        packet.psn != request.first_psn + request.responses)
        return wrong();
    if (packet.opcode->has(roce::kAeth) &&
        (packet.syndrome & roce::kAethKindMask) != roce::kAethAck)
        return wrong();
    if (answer != Answer::atomic && !read_response_fits(qp, request, packet)) return wrong();

    if (const auto placed = place_response(context, qp, request, packet); !placed) {
        requester::fail_oldest(context, qp, VRNIC_WC_LOC_PROT_ERR, placed.error());
        return;
    }
    ++request.responses;
    requester.unacked = packet.psn + 1;
    if (request.responses == request.packets) complete_oldest(context, qp);
    pull_cursor(requester);
    if (qp.state() != VRNIC_QPS_ERR) requester::note_progress(context, qp);
}

}  // namespace

Nanoseconds rnr_delay(std::uint8_t timer) {
    return Nanoseconds{kRnrDelays[timer % kRnrDelays.size()]} * 10'000;
}

void receive(TransportContext& context, QueuePair& qp, const roce::Packet& packet) {
    // Outside of what is outstanding: an answer that came twice, or a ghost.
    if (packet.psn.before(qp.requester.unacked) || !packet.psn.before(qp.requester.sent_end))
        return;
    if (packet.opcode->operation == roce::Operation::acknowledge)
        receive_acknowledge(context, qp, packet);
    else if (packet.opcode->operation == roce::Operation::read_response ||
             packet.opcode->operation == roce::Operation::atomic_response)
        receive_response(context, qp, packet);
    else
        ++context.counters.roce_rx_bad_opcode;
}

}  // namespace vrnic::completer
