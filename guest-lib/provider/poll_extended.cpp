// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Polling of ibv_create_cq_ex(3): one completion at a time stays in the ring while its fields are
// asked for. From a start_poll that finds one to end_poll the lock is held.
#include <cerrno>

#include "completion.h"

namespace vrnic {

namespace {

// Makes the completion at the consumer's index or after it the current one. ENOENT: there is none.
int advance(Cq& cq) {
    for (;;) {
        const vrnic_cqe* cqe = cq.next(cq.consumer_index);  // told to the device in the end
        if (cqe == nullptr) return ENOENT;
        CompletedWork work;
        if (!complete(cq, *cqe, work)) continue;
        cq.current = cqe;
        cq.current_opcode = work.opcode;
        cq.extended()->wr_id = work.wr_id;
        cq.extended()->status = static_cast<ibv_wc_status>(cqe->status);
        return 0;
    }
}

void end(Cq& cq) {
    cq.consume_to(cq.consumer_index);
    cq.lock.unlock();
}

int start_poll(ibv_cq_ex* ibcq, ibv_poll_cq_attr* attr) {
    if (attr->comp_mask) return EINVAL;
    Cq& cq = Cq::from(ibcq);
    cq.lock.lock();
    const int err = advance(cq);
    if (err) end(cq);
    return err;
}

int next_poll(ibv_cq_ex* cq) {
    return advance(Cq::from(cq));
}

void end_poll(ibv_cq_ex* cq) {
    end(Cq::from(cq));
}

const vrnic_cqe& current(ibv_cq_ex* cq) {
    return *Cq::from(cq).current;
}

ibv_wc_opcode read_opcode(ibv_cq_ex* cq) {
    return Cq::from(cq).current_opcode;
}

// Immediate data, four octets as they came; or the key that was invalidated, a number:
// ibv_wc_read_invalidated_rkey(3) is the same call.
__be32 read_imm_data(ibv_cq_ex* cq) {
    const vrnic_cqe& cqe = current(cq);
    return cqe.flags & VRNIC_CQE_INV ? static_cast<uint32_t>(cqe.imm) : cqe.imm.raw;
}

uint64_t read_wallclock(ibv_cq_ex* ibcq) {
    Cq& cq = Cq::from(ibcq);
    if (!cq.context->alive()) return 0;  // no clock to compare with
    return cq.wall_clock.at(cq.context->clock, cq.current->timestamp);
}

}  // namespace

void set_poll_calls(ibv_cq_ex& cq, uint64_t wc_flags) {
    cq.start_poll = start_poll;
    cq.next_poll = next_poll;
    cq.end_poll = end_poll;
    cq.read_opcode = read_opcode;
    cq.read_vendor_err = [](ibv_cq_ex* c) -> uint32_t { return current(c).syndrome; };
    cq.read_wc_flags = [](ibv_cq_ex* c) -> unsigned { return completion_flags(current(c)); };
    if (wc_flags & IBV_WC_EX_WITH_BYTE_LEN)
        cq.read_byte_len = [](ibv_cq_ex* c) -> uint32_t { return current(c).byte_len; };
    if (wc_flags & IBV_WC_EX_WITH_IMM) cq.read_imm_data = read_imm_data;
    if (wc_flags & IBV_WC_EX_WITH_QP_NUM)
        cq.read_qp_num = [](ibv_cq_ex* c) -> uint32_t { return current(c).qpn; };
    if (wc_flags & IBV_WC_EX_WITH_SRC_QP)
        cq.read_src_qp = [](ibv_cq_ex* c) -> uint32_t { return current(c).src_qpn; };
    // RoCE has no LIDs.
    if (wc_flags & IBV_WC_EX_WITH_SLID) cq.read_slid = [](ibv_cq_ex*) -> uint32_t { return 0; };
    if (wc_flags & IBV_WC_EX_WITH_SL)
        cq.read_sl = [](ibv_cq_ex* c) -> uint8_t { return current(c).sl; };
    if (wc_flags & IBV_WC_EX_WITH_DLID_PATH_BITS)
        cq.read_dlid_path_bits = [](ibv_cq_ex*) -> uint8_t { return 0; };
    if (wc_flags & IBV_WC_EX_WITH_COMPLETION_TIMESTAMP)
        cq.read_completion_ts = [](ibv_cq_ex* c) -> uint64_t { return current(c).timestamp; };
    if (wc_flags & IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK)
        cq.read_completion_wallclock_ns = read_wallclock;
}

}  // namespace vrnic
