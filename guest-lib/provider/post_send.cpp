// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_post_send(3): requests become entries of the send ring, then one doorbell.
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "qp.h"

namespace vrnic {

namespace {

// What follows the header of an entry, before its list.
enum class Segment : uint8_t { kNone, kAtomic, kBind };

// What is known of an operation.
struct SendOperation {
    uint8_t opcode = 0;  // VRNIC_OP_*, 0: not offered
    ibv_wc_opcode completion{};
    bool remote = false;  // names remote memory
    bool immediate = false;
    bool inline_data = false;  // may carry its data in the entry
    bool invalidates = false;  // names a key
    Segment segment = Segment::kNone;
};

// By enum ibv_wr_opcode.
constexpr auto kOperations = [] {
    std::array<SendOperation, 16> rows{};
    // clang-format off
    rows[IBV_WR_RDMA_WRITE]           = {.opcode = VRNIC_OP_WRITE, .completion = IBV_WC_RDMA_WRITE, .remote = true, .inline_data = true};
    rows[IBV_WR_RDMA_WRITE_WITH_IMM]  = {.opcode = VRNIC_OP_WRITE_IMM, .completion = IBV_WC_RDMA_WRITE, .remote = true, .immediate = true, .inline_data = true};
    rows[IBV_WR_SEND]                 = {.opcode = VRNIC_OP_SEND, .completion = IBV_WC_SEND, .inline_data = true};
    rows[IBV_WR_SEND_WITH_IMM]        = {.opcode = VRNIC_OP_SEND_IMM, .completion = IBV_WC_SEND, .immediate = true, .inline_data = true};
    rows[IBV_WR_SEND_WITH_INV]        = {.opcode = VRNIC_OP_SEND_INV, .completion = IBV_WC_SEND, .inline_data = true, .invalidates = true};
    rows[IBV_WR_RDMA_READ]            = {.opcode = VRNIC_OP_READ, .completion = IBV_WC_RDMA_READ, .remote = true};
    rows[IBV_WR_ATOMIC_CMP_AND_SWP]   = {.opcode = VRNIC_OP_COMPARE_SWAP, .completion = IBV_WC_COMP_SWAP, .segment = Segment::kAtomic};
    rows[IBV_WR_ATOMIC_FETCH_AND_ADD] = {.opcode = VRNIC_OP_FETCH_ADD, .completion = IBV_WC_FETCH_ADD, .segment = Segment::kAtomic};
    rows[IBV_WR_LOCAL_INV]            = {.opcode = VRNIC_OP_LOCAL_INV, .completion = IBV_WC_LOCAL_INV, .invalidates = true};
    rows[IBV_WR_BIND_MW]              = {.opcode = VRNIC_OP_BIND_MW, .completion = IBV_WC_BIND_MW, .segment = Segment::kBind};
    rows[IBV_WR_ATOMIC_WRITE]         = {.opcode = VRNIC_OP_ATOMIC_WRITE, .completion = IBV_WC_ATOMIC_WRITE, .remote = true, .inline_data = true};
    // clang-format on
    return rows;
}();

// An entry is built in place, piece by piece: 64 bytes and more written once.
void write_sges(std::byte* where, const ibv_sge* list, int count) {
    auto* out = reinterpret_cast<vrnic_sge*>(where);
    for (int i = 0; i < count; ++i) {
        out[i].addr = list[i].addr;
        out[i].length = list[i].length;
        out[i].lkey = list[i].lkey;
    }
}

// Bytes copied, or -1 when they are more than `room`.
int64_t write_inline(std::byte* where, uint32_t room, const ibv_sge* list, int count) {
    uint32_t length = 0;
    for (int i = 0; i < count; ++i) {
        if (list[i].length > room - length) return -1;
        std::memcpy(where + length, reinterpret_cast<const void*>(list[i].addr), list[i].length);
        length += list[i].length;
    }
    return length;
}

template <typename T>
T& segment_of(vrnic_sqe& sqe) {
    return *reinterpret_cast<T*>(reinterpret_cast<std::byte*>(&sqe) + VRNIC_SQE_DATA_OFFSET);
}

void fill_atomic(vrnic_sqe& sqe, const ibv_send_wr& wr) {
    auto& segment = segment_of<vrnic_sqe_atomic>(sqe);
    const bool swaps = wr.opcode == IBV_WR_ATOMIC_CMP_AND_SWP;
    segment.swap_or_add = swaps ? wr.wr.atomic.swap : wr.wr.atomic.compare_add;
    segment.compare = swaps ? wr.wr.atomic.compare_add : 0;
    sqe.rkey = wr.wr.atomic.rkey;
    sqe.remote_addr = wr.wr.atomic.remote_addr;
}

void fill_bind(vrnic_sqe& sqe, const ibv_send_wr& wr) {
    auto& segment = segment_of<vrnic_sqe_bind>(sqe);
    const ibv_mw_bind_info& info = wr.bind_mw.bind_info;
    segment.length = info.length;
    segment.mr_key = info.mr ? info.mr->lkey : 0;
    segment.access = info.mw_access_flags;
    sqe.rkey = wr.bind_mw.rkey;
    sqe.remote_addr = info.addr;
}

void fill_header(vrnic_sqe& sqe, const SendOperation& operation, const ibv_send_wr& wr,
                 bool signaled) {
    sqe.opcode = operation.opcode;
    sqe.flags =
        static_cast<uint8_t>((signaled ? VRNIC_SQE_SIGNALED : 0u) |
                             (wr.send_flags & IBV_SEND_FENCE ? VRNIC_SQE_FENCE : 0u) |
                             (wr.send_flags & IBV_SEND_SOLICITED ? VRNIC_SQE_SOLICITED : 0u) |
                             (wr.send_flags & IBV_SEND_INLINE ? VRNIC_SQE_INLINE : 0u));
    sqe.reserved0 = 0;
    if (operation.invalidates)
        sqe.imm = wr.invalidate_rkey;
    else
        sqe.imm.raw = operation.immediate ? wr.imm_data : 0;  // four octets, as they are
    sqe.rkey = operation.remote ? wr.wr.rdma.rkey : 0;
    sqe.remote_addr = operation.remote ? wr.wr.rdma.remote_addr : 0;
    sqe.xrc_srqn = 0;
    sqe.reserved1 = 0;
}

// Writes the request into the entry of `index`. An errno value; the ring's producer has not moved.
int build(WorkQueue& queue, bool signal_all, uint32_t index, const ibv_send_wr& wr) {
    if (static_cast<size_t>(wr.opcode) >= kOperations.size()) return EINVAL;
    const SendOperation& operation = kOperations[wr.opcode];
    if (operation.opcode == 0) return EINVAL;
    const bool is_inline = wr.send_flags & IBV_SEND_INLINE;
    if (is_inline && !operation.inline_data) return EINVAL;
    const bool is_atomic = operation.segment == Segment::kAtomic;
    const size_t data_offset = is_atomic ? VRNIC_SQE_ATOMIC_DATA_OFFSET : VRNIC_SQE_DATA_OFFSET;
    const size_t room = queue.ring.stride() - data_offset;
    // What is local has no data, whatever the list says.
    const bool has_data = operation.remote || is_atomic || operation.completion == IBV_WC_SEND;
    const int num_sge = has_data ? wr.num_sge : 0;
    if (num_sge < 0 || (!is_inline && (static_cast<uint32_t>(num_sge) > queue.max_sge ||
                                       static_cast<size_t>(num_sge) > room / sizeof(vrnic_sge))))
        return EINVAL;

    std::byte* entry = queue.ring.entry(index);
    auto& sqe = *reinterpret_cast<vrnic_sqe*>(entry);
    uint32_t inline_length = 0;
    if (is_inline) {
        const int64_t copied =
            write_inline(entry + data_offset, queue.max_inline, wr.sg_list, num_sge);
        if (copied < 0) return EINVAL;
        inline_length = static_cast<uint32_t>(copied);
    } else {
        write_sges(entry + data_offset, wr.sg_list, num_sge);
    }
    fill_header(sqe, operation, wr, signal_all || (wr.send_flags & IBV_SEND_SIGNALED));
    sqe.num_sge = static_cast<uint8_t>(is_inline ? 0 : num_sge);
    sqe.inline_length = inline_length;
    if (operation.segment == Segment::kAtomic) fill_atomic(sqe, wr);
    if (operation.segment == Segment::kBind) fill_bind(sqe, wr);
    queue.posted[queue.ring.position(index)] = {wr.wr_id, operation.completion};
    return 0;
}

}  // namespace

}  // namespace vrnic

using namespace vrnic;

int vrnic_post_send(ibv_qp* ibqp, ibv_send_wr* wr, ibv_send_wr** bad_wr) {
    Qp& qp = Qp::from(ibqp);
    WorkQueue& queue = qp.send;
    // IBTA 10.3.1: send requests are taken in RTS, SQD, SQE and Error.
    if (ibqp->state < IBV_QPS_RTS || ibqp->state > IBV_QPS_ERR) {
        *bad_wr = wr;
        return EINVAL;
    }

    std::lock_guard guard(queue.lock);
    return queue.post(
        wr, bad_wr,
        [&](uint32_t index, const ibv_send_wr& request) {
            return build(queue, qp.signal_all, index, request);
        },
        [&] { qp.context->doorbell.ring(VRNIC_DB_TYPE_SQ, qp.qpn); });
}
