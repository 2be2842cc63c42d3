// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/work_queue.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "rdma/memory_access.h"

namespace vrnic {

namespace {

constexpr std::uint32_t kMaxMessage = 1u << 31;  // IBTA 9.7.7: at most 2^31 bytes

std::byte* entry_copy(QueuePair& qp, std::uint32_t place) {
    return reinterpret_cast<std::byte*>(qp.requester.entries.get()) +
           (place & (qp.requester.ring.size() - 1)) * qp.sq.stride;
}

const std::byte* entry_copy(const QueuePair& qp, std::uint32_t place) {
    return entry_copy(const_cast<QueuePair&>(qp), place);
}

struct Wrong {
    std::uint8_t status = VRNIC_WC_SUCCESS;
    Syndrome syndrome = VRNIC_SYND_NONE;
};

// Of the list or inline data in an entry.
std::uint32_t data_offset(const QueuePair& qp, const SendOperation& operation) {
    return qp.is_datagram() ? VRNIC_SQE_DATAGRAM_DATA_OFFSET : operation.data_offset;
}

// What an operation asks for beside a right entry.
Wrong check_operation(const QueuePair& qp, SendRequest& request) {
    const SendOperation& operation = request.operation();
    // The answer to an atomic is one word (IBTA 9.4.5), and so is what an ATOMIC WRITE writes.
    if (operation.answer == Answer::atomic) {
        if (request.length < sizeof(vrnic_le64)) return {VRNIC_WC_LOC_LEN_ERR, VRNIC_SYND_BAD_WQE};
        request.length = sizeof(vrnic_le64);
    }
    if (request.opcode == VRNIC_OP_ATOMIC_WRITE && request.length != sizeof(vrnic_le64))
        return {VRNIC_WC_LOC_LEN_ERR, VRNIC_SYND_BAD_WQE};
    if (operation.fetches() && qp.attr.max_rd_atomic == 0)
        return {VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_OPCODE};
    return {};
}

bool is_zero(std::span<const vrnic_u8> octets) {
    return std::ranges::all_of(octets, [](std::uint8_t octet) { return octet == 0; });
}

bool flush_fits(const vrnic_sqe_flush& segment) {
    constexpr std::uint8_t kPlacements = VRNIC_FLUSH_GLOBAL | VRNIC_FLUSH_PERSISTENT;
    return segment.placement != 0 && (segment.placement & ~kPlacements) == 0 &&
           segment.level <= VRNIC_FLUSH_MR && is_zero(segment.reserved);
}

// The second segment of an operation that has nothing else.
Wrong check_segment(const QueuePair& qp, const vrnic_sqe& entry) {
    const Wrong malformed{VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE};
    if (entry.opcode == VRNIC_OP_REG_MR) {
        // Its pages are addresses on the bus: not for those who are not trusted with all memory.
        if (!qp.privileged) return {VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_NOT_PRIVILEGED};
        vrnic_sqe_reg segment;
        std::memcpy(&segment, entry.sge, sizeof(segment));
        if (!is_zero(segment.reserved)) return malformed;
    } else if (entry.opcode == VRNIC_OP_FLUSH) {
        vrnic_sqe_flush segment;
        std::memcpy(&segment, entry.sge, sizeof(segment));
        if (!flush_fits(segment)) return malformed;
    }
    return {};
}

// The rules of an entry, in order; the first that is broken counts.
Wrong check_entry(TransportContext& context, const QueuePair& qp, const vrnic_sqe& entry,
                  SendRequest& request, std::span<const vrnic_sge> list) {
    const Wrong malformed{VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE};
    constexpr std::uint8_t kFlags =
        VRNIC_SQE_SIGNALED | VRNIC_SQE_FENCE | VRNIC_SQE_SOLICITED | VRNIC_SQE_INLINE;
    const SendOperation& operation = request.operation();
    if (!qp.may_send(entry.opcode)) return {VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_OPCODE};
    if ((entry.flags & ~kFlags) != 0 || entry.reserved0 != 0 || entry.reserved1 != 0 ||
        (entry.xrc_srqn != 0 && qp.type != VRNIC_QPT_XRC_INI))
        return malformed;
    if ((entry.flags & VRNIC_SQE_INLINE) != 0) {
        if (!operation.carries_data || entry.num_sge != 0 ||
            entry.inline_length > context.config.max_inline ||
            entry.inline_length > qp.sq.stride - data_offset(qp, operation))
            return malformed;
        request.length = entry.inline_length;
        return check_operation(qp, request);
    }
    const bool has_list = operation.carries_data || operation.fills_list();
    if (entry.inline_length != 0 || (entry.num_sge != 0 && !has_list) ||
        entry.num_sge > context.config.max_send_sge || entry.num_sge > list.size())
        return malformed;

    if (!has_list)
        if (const Wrong wrong = check_segment(qp, entry); wrong.status != VRNIC_WC_SUCCESS)
            return wrong;
    list = list.first(entry.num_sge);
    std::uint64_t length = 0;
    for (const vrnic_sge& sge : list) length += sge.length;
    if (length > kMaxMessage) return {VRNIC_WC_LOC_LEN_ERR, VRNIC_SYND_TOO_LONG};
    request.length = static_cast<std::uint32_t>(length);
    request.num_sge = entry.num_sge;
    if (auto access = check_list(context, qp.pdn, list,
                                 operation.fills_list() ? VRNIC_ACCESS_LOCAL_WRITE : 0);
        !access)
        return {VRNIC_WC_LOC_PROT_ERR, access.error()};
    return check_operation(qp, request);
}

std::expected<void, Syndrome> tell_busy(TransportContext& context, QueuePair& qp, bool busy) {
    vrnic_le32 value;
    value = busy ? 1u : 0u;
    if (!qp.memory.write(context.host, qp.dbrec_offset + offsetof(vrnic_qp_dbrec, sq_busy),
                         std::as_bytes(std::span(&value, 1)))) {
        ++context.counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    qp.sq.told_busy = busy;
    return {};
}

}  // namespace

Available send_entry_available(TransportContext& context, QueuePair& qp) {
    WorkRing& ring = qp.sq;
    if (ring.next != ring.producer) return true;
    if (ring.size == 0 || !(ring.doorbell || ring.told_busy)) return false;
    const auto read = [&] {
        return read_producer(context.host, context.counters, qp.memory,
                             qp.dbrec_offset + offsetof(vrnic_qp_dbrec, sq_pi), ring);
    };
    const Available found = read();
    if (!ring.told_busy || !found || *found) return found;
    if (const auto told = tell_busy(context, qp, false); !told)
        return std::unexpected(told.error());
    // What was posted by a guest that could not see this yet is found by reading once more.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return read();
}

std::expected<void, Syndrome> note_busy(TransportContext& context, QueuePair& qp) {
    if (qp.sq.told_busy) return {};
    return tell_busy(context, qp, true);
}

Available receive_entry_available(TransportContext& context, QueuePair& qp) {
    if (qp.takes_shared_entries()) {
        SharedReceiveQueue* srq = shared_queue(context, qp);
        if (!srq) return std::unexpected<Syndrome>(VRNIC_SYND_BAD_SRQ);
        return context.srqs.available(*srq);
    }
    WorkRing& ring = qp.rq;
    if (ring.next != ring.producer) return true;
    if (ring.size == 0) return false;
    return read_producer(context.host, context.counters, qp.memory,
                         qp.dbrec_offset + offsetof(vrnic_qp_dbrec, rq_pi), ring);
}

std::expected<void, Syndrome> take_send_entry(TransportContext& context, QueuePair& qp) {
    const std::uint32_t place = qp.requester.tail;
    std::byte* copy = entry_copy(qp, place);
    if (!qp.memory.read(context.host, qp.sq.place(), {copy, qp.sq.stride})) {
        ++context.counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    vrnic_sqe entry;
    std::memcpy(&entry, copy, sizeof(entry));

    SendRequest request;
    request.opcode = entry.opcode;
    request.flags = entry.flags;
    std::memcpy(request.immediate.data(), &entry.imm, sizeof(entry.imm));
    request.rkey = entry.rkey;
    request.remote_addr = entry.remote_addr;
    request.xrc_srqn = entry.xrc_srqn;
    request.entry = qp.sq.next;
    const std::uint32_t offset = data_offset(qp, request.operation());
    const auto* list = reinterpret_cast<const vrnic_sge*>(copy + offset);
    const Wrong wrong = check_entry(context, qp, entry, request,
                                    {list, (qp.sq.stride - offset) / sizeof(vrnic_sge)});
    request.error = wrong.status;
    request.syndrome = wrong.syndrome;

    qp.requester.at(place) = request;
    ++qp.requester.tail;
    ++qp.sq.next;
    if (context.streams.any()) [[unlikely]]
        context.streams.of_qp(
            qp.qpn, {.what = VRNIC_STREAM_FETCHED, .a = request.entry, .b = request.opcode});
    return {};
}

void prefetch_send_entry(const QueuePair& qp) {
    const std::uint32_t place = qp.requester.tail;
    __builtin_prefetch(&qp.requester.at(place));
    __builtin_prefetch(entry_copy(qp, place));
}

std::expected<bool, Syndrome> take_receive_entry(TransportContext& context, QueuePair& qp) {
    SharedReceiveQueue* srq = qp.takes_shared_entries() ? shared_queue(context, qp) : nullptr;
    WorkRing& ring = srq ? srq->ring : qp.rq;
    const PagedMemory& memory = srq ? srq->memory : qp.memory;
    std::array<std::byte, 1u << VRNIC_RQE_STRIDE_MAX_LOG> copy;
    if (!memory.read(context.host, ring.place(), std::span(copy).first(ring.stride))) {
        ++context.counters.dma_errors;
        if (srq) context.srqs.fail(*srq, VRNIC_SYND_DMA_FAILED);
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    ReceiveEntry& entry = qp.responder.entry;
    vrnic_rqe header;
    std::memcpy(&header, copy.data(), VRNIC_RQE_DATA_OFFSET);
    entry.index = srq ? std::uint32_t{header.tag} : ring.next;
    entry.srqn = srq ? srq->srqn : 0;
    entry.pdn = srq ? srq->pdn : qp.pdn;
    entry.cqn = srq && srq->is_xrc() ? srq->cqn : qp.recv_cqn;
    entry.num_sge = header.num_sge;
    entry.capacity = 0;
    ++ring.next;
    qp.responder.entry_taken = true;
    if (context.streams.any()) [[unlikely]]
        context.streams.of_receive_entry(qp.qpn, entry.srqn, entry.index);
    if (srq) context.srqs.entry_taken(*srq);
    if (entry.num_sge > context.config.max_recv_sge || entry.num_sge > kMaxSge ||
        entry.num_sge > (ring.stride - VRNIC_RQE_DATA_OFFSET) / sizeof(vrnic_sge)) {
        entry.num_sge = 0;
        return false;
    }
    std::memcpy(entry.sge.data(), copy.data() + VRNIC_RQE_DATA_OFFSET,
                entry.num_sge * sizeof(vrnic_sge));
    for (std::uint32_t i = 0; i < entry.num_sge; ++i) entry.capacity += entry.sge[i].length;
    return true;
}

SharedReceiveQueue* shared_queue(TransportContext& context, const QueuePair& qp) {
    if (qp.type != VRNIC_QPT_XRC_TGT) return context.srqs.find(qp.srqn);
    SharedReceiveQueue* srq = context.srqs.find(qp.responder.xrc_srqn);
    return srq && srq->xrcdn == qp.xrcdn ? srq : nullptr;
}

std::span<const vrnic_sge> send_list(const QueuePair& qp, std::uint32_t place) {
    const SendRequest& request = qp.requester.at(place);
    const std::byte* list = entry_copy(qp, place) + data_offset(qp, request.operation());
    return {reinterpret_cast<const vrnic_sge*>(list), request.num_sge};
}

std::span<const std::byte> send_inline_data(const QueuePair& qp, std::uint32_t place) {
    const SendRequest& request = qp.requester.at(place);
    return {entry_copy(qp, place) + data_offset(qp, request.operation()), request.length};
}

std::span<const std::byte> send_segment(const QueuePair& qp, std::uint32_t place) {
    return {entry_copy(qp, place) + VRNIC_SQE_DATA_OFFSET, qp.sq.stride - VRNIC_SQE_DATA_OFFSET};
}

}  // namespace vrnic
