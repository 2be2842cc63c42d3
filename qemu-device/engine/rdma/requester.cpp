// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/requester.h"

#include <algorithm>
#include <optional>

#include "rdma/completion.h"
#include "rdma/memory_access.h"
#include "rdma/work_queue.h"

namespace vrnic::requester {

namespace {

// Packets that may be on their way without an acknowledgement. READs do not count: how much of them
// is outstanding is limited by max_rd_atomic.
constexpr std::uint32_t kWindowPackets = 256;
constexpr std::uint32_t kWindowBytes = 512 * 1024;
constexpr std::uint32_t kLeastWindow = 4;  // packets, see window()
constexpr std::uint32_t kAckEvery = 32;
// PSNs are ordered within half their circle (IBTA 9.7.1).
constexpr std::uint32_t kMaxPsnSpan = 0x7fffff;
// Below this a timeout says more about the machine's scheduler than about the peer.
constexpr Nanoseconds kShortestTimeout = 1'000'000;

// A timer that comes so much later than it was set for tells of a stall of this machine.
constexpr Nanoseconds kLateTimer = 10'000'000;

// A peer that is slow, not gone, still works through what it was sent: the more often the answer
// did not come in time, the less is added to that.
std::uint32_t window(const QueuePair& qp) {
    const std::uint32_t whole = std::min(kWindowPackets, kWindowBytes / qp.mtu);
    const unsigned timeouts = std::min<unsigned>(qp.requester.timeouts_in_a_row, 4);
    return std::max(whole >> (2 * timeouts), kLeastWindow);
}

// Opcode of a packet of a SEND or WRITE.
roce::Opcode data_opcode(const SendOperation& operation, bool first, bool last) {
    return first ? (last ? operation.only : operation.first)
                 : (last ? operation.last : operation.middle);
}

std::uint32_t packets_of(const QueuePair& qp, const SendRequest& request) {
    switch (request.operation().answer) {
        case Answer::local:
            return 0;
        case Answer::atomic:
        case Answer::placed:
            return 1;
        default:
            return std::max(1u, request.length / qp.mtu + (request.length % qp.mtu != 0));
    }
}

void inject_error(TransportContext& context, const QueuePair& qp, SendRequest& request) {
    const auto status = context.faults.completion(WorkQueue::send, qp.qpn, request.opcode);
    if (!status) return;
    request.error = *status;
    request.syndrome = VRNIC_SYND_INJECTED;
}

// Takes the next entry of the send queue, when there is one and it may be taken.
bool take(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    if (qp.state() != VRNIC_QPS_RTS || requester.tail - requester.head == requester.ring.size())
        return false;
    const Available available = send_entry_available(context, qp);
    if (!available) {
        enter_error(context, qp, VRNIC_EVENT_QP_FATAL, available.error());
        return false;
    }
    if (!*available) return false;
    if (const auto taken = take_send_entry(context, qp); !taken) {
        enter_error(context, qp, VRNIC_EVENT_QP_FATAL, taken.error());
        return false;
    }
    SendRequest& request = requester.at(requester.tail - 1);
    request.first_psn = requester.next_psn;
    if (context.faults.armed(FaultPoint::completion)) [[unlikely]]
        inject_error(context, qp, request);
    if (request.error != VRNIC_WC_SUCCESS) return true;
    request.packets = packets_of(qp, request);
    if (request.packets > kMaxPsnSpan) {
        request.error = VRNIC_WC_LOC_LEN_ERR;
        request.syndrome = VRNIC_SYND_TOO_LONG;
        return true;
    }
    requester.next_psn = requester.next_psn + request.packets;
    return true;
}

// PSN of the packet at the cursor.
Psn cursor_psn(const Requester& requester, const SendRequest& request) {
    return request.first_psn + (request.fetches() ? request.responses : requester.cursor_packet);
}

bool may_send(const QueuePair& qp, const SendRequest& request, Psn psn) {
    if (!qp.is_reliable()) return true;
    const Requester& requester = qp.requester;
    const auto ahead = static_cast<std::uint32_t>(psn - requester.unacked);
    if (requester.cursor_packet == 0) {
        if ((request.flags & VRNIC_SQE_FENCE) != 0 && requester.fetches_outstanding != 0)
            return false;
        if (request.fetches())
            return requester.fetches_outstanding < qp.attr.max_rd_atomic &&
                   ahead + (request.packets - request.responses) <= kMaxPsnSpan;
        if (ahead + request.packets > kMaxPsnSpan) return false;
    }
    return ahead < window(qp);
}

roce::PacketFields read_request_fields(const QueuePair& qp, const SendRequest& request, Psn psn) {
    // A READ that was answered in part is asked for from the first missing byte on
    // (IBTA 9.7.5.2.6).
    const std::uint32_t done = request.responses * qp.mtu;
    roce::PacketFields fields;
    fields.opcode = roce::kReadRequest;
    fields.psn = psn;
    fields.ack_request = true;
    fields.address = request.remote_addr + done;
    fields.rkey = request.rkey;
    fields.length = request.length - done;
    return fields;
}

roce::PacketFields atomic_fields(const QueuePair& qp, const SendRequest& request, Psn psn) {
    const auto segment = send_segment<vrnic_sqe_atomic>(qp, qp.requester.cursor);
    roce::PacketFields fields;
    fields.opcode = request.operation().only;
    fields.psn = psn;
    fields.ack_request = true;
    fields.address = request.remote_addr;
    fields.rkey = request.rkey;
    fields.swap_or_add = segment.swap_or_add;
    fields.compare = segment.compare;
    return fields;
}

roce::PacketFields flush_fields(const QueuePair& qp, const SendRequest& request, Psn psn) {
    const auto segment = send_segment<vrnic_sqe_flush>(qp, qp.requester.cursor);
    roce::PacketFields fields;
    fields.opcode = request.operation().only;
    fields.psn = psn;
    fields.ack_request = true;
    fields.address = request.remote_addr;
    fields.rkey = request.rkey;
    fields.length = segment.length;
    fields.flush_placement = segment.placement;
    fields.flush_level = segment.level;
    return fields;
}

// Of a request that sends no data of its own.
roce::PacketFields question_fields(const QueuePair& qp, const SendRequest& request, Psn psn) {
    const Answer answer = request.operation().answer;
    roce::PacketFields fields = answer == Answer::read     ? read_request_fields(qp, request, psn)
                                : answer == Answer::atomic ? atomic_fields(qp, request, psn)
                                                           : flush_fields(qp, request, psn);
    fields.xrc_srq = request.xrc_srqn;
    return fields;
}

roce::PacketFields data_fields(const QueuePair& qp, const SendRequest& request, Psn psn) {
    const Requester& requester = qp.requester;
    const bool last = requester.cursor_packet + 1 == request.packets;
    roce::PacketFields fields;
    fields.opcode = data_opcode(request.operation(), requester.cursor_packet == 0, last);
    fields.psn = psn;
    fields.solicited = last && (request.flags & VRNIC_SQE_SOLICITED) != 0;
    fields.ack_request =
        qp.is_reliable() && (last || requester.packets_unrequested + 1 >= kAckEvery ||
                             static_cast<std::uint32_t>(psn - requester.unacked) + 1 >= window(qp));
    fields.address = request.remote_addr;
    fields.rkey = request.rkey;
    fields.length = request.length;
    fields.immediate = request.immediate;
    fields.invalidate_key = request.key();
    fields.xrc_srq = request.xrc_srqn;
    return fields;
}

void note_sent(TransportContext& context, QueuePair& qp, SendRequest& request,
               const roce::PacketFields& fields) {
    Requester& requester = qp.requester;
    if (!qp.is_reliable()) {
        if (++requester.cursor_packet == request.packets) complete_unanswered(context, qp);
        return;
    }
    if (fields.psn.before(requester.sent_end)) ++context.counters.roce_retransmitted_packets;
    requester.packets_unrequested = fields.ack_request ? 0 : requester.packets_unrequested + 1;
    Psn end = fields.psn + 1;
    if (request.fetches()) {
        ++requester.fetches_outstanding;
        ++requester.cursor;
        end = request.last_psn() + 1;
    } else if (++requester.cursor_packet == request.packets) {
        ++requester.cursor;
        requester.cursor_packet = 0;
    }
    if (end.after(requester.sent_end)) requester.sent_end = end;
    // Counts from the newest packet that asks for an answer (IBTA 9.7.6.1.3): with many queue pairs
    // on a slow wire the time until the next turn is no sign of a loss. Whatever is sent ends with
    // such a packet; the window bounds how often.
    if (qp.attr.timeout != 0 && fields.ack_request)
        context.set_timer(qp, context.host.now() + ack_timeout(qp));
}

// BIND_MW, LOCAL_INV, REG_MR: the oldest request, at the cursor (IBTA 10.6.7.2).
void execute_local(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    const SendRequest request = requester.at(requester.head);
    const KeyUser user{qp.pdn, qp.qpn};
    std::expected<void, Syndrome> done;
    if (request.opcode == VRNIC_OP_LOCAL_INV) {
        done = context.regions.invalidate(user, request.key());
    } else if (request.opcode == VRNIC_OP_REG_MR) {
        done = context.regions.register_fast(
            user, {.key = request.rkey,
                   .iova = request.remote_addr,
                   .how = send_segment<vrnic_sqe_reg>(qp, requester.head)});
    } else {
        const auto segment = send_segment<vrnic_sqe_bind>(qp, requester.head);
        done = context.regions.bind(user, {.key = request.rkey,
                                           .mr_key = segment.mr_key,
                                           .address = request.remote_addr,
                                           .length = segment.length,
                                           .access = segment.access});
        qp.binds_windows = true;
    }
    if (!done) return fail_oldest(context, qp, VRNIC_WC_MW_BIND_ERR, done.error());
    ++requester.head;
    ++requester.cursor;
    complete_send(context, qp, request, VRNIC_WC_SUCCESS, VRNIC_SYND_NONE);
}

void check_drained(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    if (qp.state() != VRNIC_QPS_SQD || requester.drained || requester.head != requester.tail)
        return;
    note_drained(context, qp);
}

}  // namespace

Nanoseconds ack_timeout(const QueuePair& qp) {
    // IBTA 9.7.6.1.3: between T and 4 T. The more often it came to nothing, the more patience.
    if (qp.attr.timeout == 0) return 0;
    const Nanoseconds t = Nanoseconds{4096} << qp.attr.timeout;
    return std::max(t, kShortestTimeout) << std::min<unsigned>(qp.requester.timeouts_in_a_row, 2);
}

void note_drained(TransportContext& context, QueuePair& qp) {
    qp.requester.drained = true;
    qp.attr.sq_draining = 0;
    if (qp.attr.en_sqd_async_notify) context.events.raise(VRNIC_EVENT_QP_SQ_DRAINED, qp.qpn);
}

bool has_request(TransportContext& context, QueuePair& qp) {
    if (!qp.sends()) return false;
    if (qp.requester.cursor != qp.requester.tail || take(context, qp)) return true;
    check_drained(context, qp);
    return false;
}

AccessResult fill_payload(TransportContext& context, const QueuePair& qp,
                          const SendRequest& request, std::uint64_t offset,
                          std::span<std::byte> payload) {
    const std::uint32_t place = qp.requester.cursor;
    if ((request.flags & VRNIC_SQE_INLINE) != 0) {
        const auto data = send_inline_data(qp, place).subspan(offset, payload.size());
        std::copy(data.begin(), data.end(), payload.begin());
        return {};
    }
    return gather(context, qp.pdn, send_list(qp, place), offset, payload);
}

void complete_unanswered(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    const SendRequest request = requester.at(requester.head);
    ++requester.head;
    ++requester.cursor;
    requester.cursor_packet = 0;
    requester.unacked = requester.sent_end = request.last_psn() + 1;
    complete_send(context, qp, request, VRNIC_WC_SUCCESS, VRNIC_SYND_NONE);
}

Step step(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    if (requester.rnr_waiting || !has_request(context, qp)) return Step::idle;
    SendRequest& request = requester.at(requester.cursor);
    if (request.error != VRNIC_WC_SUCCESS) {
        // Completions keep their order: this one waits until all before it are done.
        if (requester.cursor != requester.head) return Step::idle;
        fail_oldest(context, qp, request.error, request.syndrome);
        return Step::worked;
    }
    if (request.operation().answer == Answer::local) {
        // All before it is over: it may depend on that, and what follows depends on it.
        if (requester.cursor != requester.head) return Step::idle;
        execute_local(context, qp);
        return Step::worked;
    }
    const Psn psn = cursor_psn(requester, request);
    if (!may_send(qp, request, psn)) {
        if (const auto told = note_busy(context, qp); !told)
            enter_error(context, qp, VRNIC_EVENT_QP_FATAL, told.error());
        return Step::idle;
    }
    if (context.output.blocked(qp.peer.loopback)) return Step::blocked;

    const bool carries_data = request.operation().carries_data;
    const roce::PacketFields fields =
        carries_data ? data_fields(qp, request, psn) : question_fields(qp, request, psn);
    if (!carries_data) {
        context.output.begin(qp.peer.path, fields, 0);
    } else {
        const std::uint64_t offset = std::uint64_t{requester.cursor_packet} * qp.mtu;
        const auto bytes =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(request.length - offset, qp.mtu));
        const auto payload = context.output.begin(qp.peer.path, fields, bytes);
        if (const auto filled = fill_payload(context, qp, request, offset, payload); !filled) {
            // The region went away, or the bus refused, after the entry was checked.
            request.error = VRNIC_WC_LOC_PROT_ERR;
            request.syndrome = filled.error();
            return Step::worked;
        }
    }
    if (!context.output.send(qp.peer.loopback)) return Step::blocked;
    note_sent(context, qp, request, fields);
    return Step::sent;
}

void go_back(QueuePair& qp) {
    Requester& requester = qp.requester;
    requester.cursor = requester.head;
    requester.cursor_packet = 0;
    requester.fetches_outstanding = 0;
    requester.packets_unrequested = 0;
    if (requester.head == requester.tail) return;
    const SendRequest& oldest = requester.at(requester.head);
    if (!oldest.fetches() && oldest.packets != 0)
        requester.cursor_packet = static_cast<std::uint32_t>(requester.unacked - oldest.first_psn);
}

void fail_oldest(TransportContext& context, QueuePair& qp, std::uint8_t status, Syndrome syndrome) {
    Requester& requester = qp.requester;
    if (requester.head == requester.tail) return;
    const SendRequest request = requester.at(requester.head++);
    complete_send(context, qp, request, status, syndrome);
    // IBTA 10.3.1.6: what fails here does not concern a peer that knows nothing of it.
    if (qp.is_reliable())
        enter_error(context, qp);
    else
        enter_send_error(context, qp);
}

void retry(TransportContext& context, QueuePair& qp, Syndrome reason) {
    Requester& requester = qp.requester;
    if (requester.retries_left == 0) {
        ++context.counters.roce_retry_exceeded;
        fail_oldest(context, qp, VRNIC_WC_RETRY_EXC_ERR, reason);
        return;
    }
    --requester.retries_left;
    requester.timer_excused = false;
    send_again(context, qp);
}

void send_again(TransportContext& context, QueuePair& qp) {
    go_back(qp);
    if (qp.attr.timeout != 0) context.set_timer(qp, context.host.now() + ack_timeout(qp));
    context.make_ready(qp);
}

void note_progress(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    requester.retries_left = qp.attr.retry_cnt;
    requester.rnr_retries_left = qp.attr.rnr_retry;
    requester.timeouts_in_a_row = 0;
    requester.timer_excused = false;
    requester.read_gap_noted = false;
    requester.not_ready_noted = false;
    context.make_ready(qp);
    if (requester.rnr_waiting || qp.attr.timeout == 0) return;
    // Only an answer that was asked for can be late.
    const auto outstanding = static_cast<std::uint32_t>(requester.sent_end - requester.unacked);
    if (outstanding > requester.packets_unrequested)
        context.set_timer(qp, context.host.now() + ack_timeout(qp));
    else
        context.stop_timer(qp);
}

bool excuse_late_timer(TransportContext& context, QueuePair& qp, Nanoseconds deadline,
                       Nanoseconds now) {
    if (now - deadline < kLateTimer || qp.requester.rnr_waiting || qp.requester.timer_excused)
        return false;
    qp.requester.timer_excused = true;
    context.set_timer(qp, now + ack_timeout(qp));
    return true;
}

void on_timer(TransportContext& context, QueuePair& qp) {
    Requester& requester = qp.requester;
    if (!qp.sends()) return;
    if (requester.rnr_waiting) {
        requester.rnr_waiting = false;
        context.make_ready(qp);
        return;
    }
    if (!requester.outstanding()) return;
    ++context.counters.roce_local_ack_timeouts;
    requester.timeouts_in_a_row =
        static_cast<std::uint8_t>(std::min(requester.timeouts_in_a_row + 1, 255));
    requester.read_gap_noted = false;
    retry(context, qp, VRNIC_SYND_TIMEOUT);
}

}  // namespace vrnic::requester
