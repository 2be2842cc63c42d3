// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_post_send(3): requests become entries of the send ring, then one doorbell.
#include <cerrno>
#include <cstring>
#include <mutex>

#include "qp.h"

namespace vrnic {

namespace {

// What is known of an operation, by enum ibv_wr_opcode.
struct SendOperation {
    uint8_t opcode;  // VRNIC_OP_*, 0: not offered
    ibv_wc_opcode completion;
    bool remote;  // names remote memory
    bool immediate;
    bool inline_data;  // may carry its data in the entry
};

constexpr SendOperation kOperations[] = {
    /* IBV_WR_RDMA_WRITE          */ {VRNIC_OP_WRITE, IBV_WC_RDMA_WRITE, true, false, true},
    /* IBV_WR_RDMA_WRITE_WITH_IMM */ {VRNIC_OP_WRITE_IMM, IBV_WC_RDMA_WRITE, true, true, true},
    /* IBV_WR_SEND                */ {VRNIC_OP_SEND, IBV_WC_SEND, false, false, true},
    /* IBV_WR_SEND_WITH_IMM       */ {VRNIC_OP_SEND_IMM, IBV_WC_SEND, false, true, true},
    /* IBV_WR_RDMA_READ           */ {VRNIC_OP_READ, IBV_WC_RDMA_READ, true, false, false},
};
static_assert(IBV_WR_RDMA_WRITE == 0 && IBV_WR_RDMA_WRITE_WITH_IMM == 1 && IBV_WR_SEND == 2 &&
              IBV_WR_SEND_WITH_IMM == 3 && IBV_WR_RDMA_READ == 4);

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

// Writes the request into the entry of `index`. An errno value; the ring's producer has not moved.
int build(WorkQueue& queue, bool signal_all, uint32_t index, const ibv_send_wr& wr) {
    if (static_cast<size_t>(wr.opcode) >= std::size(kOperations)) return EINVAL;
    const SendOperation& operation = kOperations[wr.opcode];
    const bool is_inline = wr.send_flags & IBV_SEND_INLINE;
    if (is_inline && !operation.inline_data) return EINVAL;
    if (wr.num_sge < 0 || (!is_inline && static_cast<uint32_t>(wr.num_sge) > queue.max_sge))
        return EINVAL;

    std::byte* entry = queue.ring.entry(index);
    auto& sqe = *reinterpret_cast<vrnic_sqe*>(entry);
    uint32_t inline_length = 0;
    if (is_inline) {
        const int64_t copied =
            write_inline(entry + VRNIC_SQE_DATA_OFFSET, queue.max_inline, wr.sg_list, wr.num_sge);
        if (copied < 0) return EINVAL;
        inline_length = static_cast<uint32_t>(copied);
    } else {
        write_sges(entry + VRNIC_SQE_DATA_OFFSET, wr.sg_list, wr.num_sge);
    }

    const bool signaled = signal_all || (wr.send_flags & IBV_SEND_SIGNALED);
    sqe.opcode = operation.opcode;
    sqe.flags =
        static_cast<uint8_t>((signaled ? VRNIC_SQE_SIGNALED : 0u) |
                             (wr.send_flags & IBV_SEND_FENCE ? VRNIC_SQE_FENCE : 0u) |
                             (wr.send_flags & IBV_SEND_SOLICITED ? VRNIC_SQE_SOLICITED : 0u) |
                             (is_inline ? VRNIC_SQE_INLINE : 0u));
    sqe.num_sge = static_cast<uint8_t>(is_inline ? 0 : wr.num_sge);
    sqe.reserved0 = 0;
    sqe.imm.raw = operation.immediate ? wr.imm_data : 0;  // four octets, as they are
    sqe.inline_length = inline_length;
    sqe.rkey = operation.remote ? wr.wr.rdma.rkey : 0;
    sqe.remote_addr = operation.remote ? wr.wr.rdma.remote_addr : 0;
    sqe.reserved1 = 0;
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
