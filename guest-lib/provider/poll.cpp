// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_poll_cq(3): completions from the ring become ibv_wc.
#include <mutex>

#include "completion.h"

namespace vrnic {

namespace {

void translate(const vrnic_cqe& cqe, const CompletedWork& work, ibv_wc& wc) {
    wc.wr_id = work.wr_id;
    wc.status = static_cast<ibv_wc_status>(cqe.status);
    wc.vendor_err = cqe.syndrome;
    wc.qp_num = cqe.qpn;
    wc.opcode = work.opcode;
    wc.byte_len = cqe.byte_len;
    wc.wc_flags = completion_flags(cqe);
    wc.imm_data = 0;
    if (cqe.flags & VRNIC_CQE_IMM)
        wc.imm_data = cqe.imm.raw;  // four octets, as they came
    else if (cqe.flags & VRNIC_CQE_INV)
        wc.invalidated_rkey = cqe.imm;
    wc.src_qp = cqe.src_qpn;
    wc.pkey_index = cqe.pkey_index;
    wc.slid = 0;  // RoCE has no LIDs
    wc.sl = cqe.sl;
    wc.dlid_path_bits = 0;
}

}  // namespace

}  // namespace vrnic

using namespace vrnic;

int vrnic_poll_cq(ibv_cq* ibcq, int num_entries, ibv_wc* wc) {
    Cq& cq = Cq::from(ibcq);
    std::lock_guard guard(cq.lock);
    uint64_t index = cq.consumer_index;
    int taken = 0;
    while (taken < num_entries) {
        const vrnic_cqe* cqe = cq.next(index);
        if (cqe == nullptr) break;
        CompletedWork work;
        if (complete(cq, *cqe, work)) translate(*cqe, work, wc[taken++]);
    }
    cq.consume_to(index);
    return taken;
}
