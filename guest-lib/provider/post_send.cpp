// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_post_send(3): requests become entries of the send ring, then one doorbell.
#include <cerrno>
#include <mutex>

#include "address_handle.h"
#include "qp.h"
#include "send_entry.h"

namespace vrnic {

namespace {

void write_segment(vrnic_sqe& sqe, const SendOperation& operation, const ibv_send_wr& wr) {
    switch (operation.segment) {
        case Segment::kAtomic: {
            const bool swaps = wr.opcode == IBV_WR_ATOMIC_CMP_AND_SWP;
            write_atomic(sqe, swaps ? wr.wr.atomic.swap : wr.wr.atomic.compare_add,
                         swaps ? wr.wr.atomic.compare_add : 0);
            write_remote(sqe, wr.wr.atomic.rkey, wr.wr.atomic.remote_addr);
            break;
        }
        case Segment::kBind:
            write_bind(sqe, wr.bind_mw.rkey, wr.bind_mw.bind_info);
            break;
        case Segment::kFlush:
        case Segment::kNone:
            break;
    }
}

// The list, or the data itself. False: too many entries, or too much data.
bool write_data(const Qp& qp, std::byte* entry, const SendOperation& operation,
                const ibv_send_wr& wr) {
    auto& sqe = *reinterpret_cast<vrnic_sqe*>(entry);
    const size_t offset = data_offset(qp.kind, operation);
    if (wr.num_sge < 0) return false;
    const auto count = static_cast<uint32_t>(wr.num_sge);
    if (wr.send_flags & IBV_SEND_INLINE) {
        if (!operation.inline_data) return false;
        uint32_t length = 0;
        for (uint32_t i = 0; i < count; ++i)
            if (!append_inline(entry + offset, length, qp.send.max_inline,
                               reinterpret_cast<const void*>(wr.sg_list[i].addr),
                               wr.sg_list[i].length))
                return false;
        sqe.flags |= VRNIC_SQE_INLINE;
        sqe.inline_length = length;
        return true;
    }
    if (count > qp.max_sge_of(operation)) return false;
    for (uint32_t i = 0; i < count; ++i)
        write_sge(entry + offset + i * sizeof(vrnic_sge), wr.sg_list[i]);
    sqe.num_sge = static_cast<uint8_t>(count);
    return true;
}

// Writes the request into the entry of `index`. An errno value; the ring's producer has not moved.
int build(Qp& qp, uint32_t index, const ibv_send_wr& wr) {
    if (static_cast<size_t>(wr.opcode) >= kOperations.size()) return EINVAL;
    const SendOperation& operation = kOperations[wr.opcode];
    if (!operation.posted || !(operation.kinds & qp.kind)) return EINVAL;
    if (!(operation.asked & qp.operations)) return EOPNOTSUPP;  // not of this device

    std::byte* entry = qp.send.ring.entry(index);
    auto& sqe = *reinterpret_cast<vrnic_sqe*>(entry);
    write_header(sqe, operation, wr.send_flags, qp.signal_all);
    if (operation.invalidates) sqe.imm = wr.invalidate_rkey;
    if (operation.immediate) sqe.imm.raw = wr.imm_data;  // four octets, as they are
    if (operation.remote) write_remote(sqe, wr.wr.rdma.rkey, wr.wr.rdma.remote_addr);
    write_segment(sqe, operation, wr);
    if (qp.kind == kUd) {
        if (wr.wr.ud.ah == nullptr) return EINVAL;
        write_datagram(sqe, Ah::from(wr.wr.ud.ah).av, wr.wr.ud.remote_qpn, wr.wr.ud.remote_qkey);
    }
    if (qp.kind == kXrc) sqe.xrc_srqn = wr.qp_type.xrc.remote_srqn;
    // What is local has no data, whatever the list says; nor can it be inline.
    if (operation.data ? !write_data(qp, entry, operation, wr)
                       : (wr.send_flags & IBV_SEND_INLINE) != 0)
        return EINVAL;
    qp.send.posted[qp.send.ring.position(index)] = {wr.wr_id, operation.completion};
    return 0;
}

}  // namespace

}  // namespace vrnic

using namespace vrnic;

int vrnic_post_send(ibv_qp* ibqp, ibv_send_wr* wr, ibv_send_wr** bad_wr) {
    Qp& qp = Qp::from(ibqp);
    WorkQueue& queue = qp.send;
    if (!qp.takes_sends()) {
        *bad_wr = wr;
        return EINVAL;
    }

    std::lock_guard guard(queue.lock);
    return queue.post(
        wr, bad_wr,
        [&](uint32_t index, const ibv_send_wr& request) { return build(qp, index, request); },
        [&] { qp.announce_sends(); });
}
