// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_poll_cq(3): completions from the ring become ibv_wc.
#include <mutex>

#include "qp.h"

namespace vrnic {

namespace {

// Completion status and QP numbers are the same in the device and in verbs.
static_assert(VRNIC_WC_SUCCESS == IBV_WC_SUCCESS && VRNIC_WC_LOC_LEN_ERR == IBV_WC_LOC_LEN_ERR &&
              VRNIC_WC_LOC_QP_OP_ERR == IBV_WC_LOC_QP_OP_ERR &&
              VRNIC_WC_LOC_PROT_ERR == IBV_WC_LOC_PROT_ERR &&
              VRNIC_WC_WR_FLUSH_ERR == IBV_WC_WR_FLUSH_ERR &&
              VRNIC_WC_BAD_RESP_ERR == IBV_WC_BAD_RESP_ERR &&
              VRNIC_WC_MW_BIND_ERR == IBV_WC_MW_BIND_ERR &&
              VRNIC_WC_LOC_ACCESS_ERR == IBV_WC_LOC_ACCESS_ERR &&
              VRNIC_WC_REM_INV_REQ_ERR == IBV_WC_REM_INV_REQ_ERR &&
              VRNIC_WC_REM_ACCESS_ERR == IBV_WC_REM_ACCESS_ERR &&
              VRNIC_WC_REM_OP_ERR == IBV_WC_REM_OP_ERR &&
              VRNIC_WC_RETRY_EXC_ERR == IBV_WC_RETRY_EXC_ERR &&
              VRNIC_WC_RNR_RETRY_EXC_ERR == IBV_WC_RNR_RETRY_EXC_ERR &&
              VRNIC_WC_FATAL_ERR == IBV_WC_FATAL_ERR && VRNIC_WC_GENERAL_ERR == IBV_WC_GENERAL_ERR);

ibv_wc_opcode receive_opcode(uint8_t opcode) {
    return opcode == VRNIC_OP_RECV_WRITE_IMM ? IBV_WC_RECV_RDMA_WITH_IMM : IBV_WC_RECV;
}

void translate(const vrnic_cqe& cqe, Qp& qp, ibv_wc& wc) {
    const bool of_send_queue = cqe.flags & VRNIC_CQE_SEND_QUEUE;
    WorkQueue& queue = of_send_queue ? qp.send : qp.receive;
    const uint32_t index = cqe.wqe_index;
    const PostedWork& work = queue.posted[queue.ring.position(index)];

    wc.wr_id = work.wr_id;
    wc.status = static_cast<ibv_wc_status>(cqe.status);
    wc.vendor_err = cqe.syndrome;
    wc.qp_num = qp.qpn;
    wc.opcode =
        of_send_queue || wc.status != IBV_WC_SUCCESS ? work.opcode : receive_opcode(cqe.opcode);
    wc.byte_len = cqe.byte_len;
    wc.imm_data = 0;
    wc.wc_flags = 0;
    if (cqe.flags & VRNIC_CQE_IMM) {
        wc.imm_data = cqe.imm.raw;  // four octets, as they came
        wc.wc_flags |= IBV_WC_WITH_IMM;
    } else if (cqe.flags & VRNIC_CQE_INV) {
        wc.invalidated_rkey = cqe.imm;
        wc.wc_flags |= IBV_WC_WITH_INV;
    }
    wc.src_qp = cqe.src_qpn;
    wc.pkey_index = cqe.pkey_index;
    wc.slid = 0;
    wc.sl = cqe.sl;
    wc.dlid_path_bits = 0;

    queue.range.retire_through(index);  // last: the position may be posted anew
}

}  // namespace

}  // namespace vrnic

using namespace vrnic;

int vrnic_poll_cq(ibv_cq* ibcq, int num_entries, ibv_wc* wc) {
    Cq& cq = Cq::from(ibcq);
    std::lock_guard guard(cq.lock);
    const uint64_t first = cq.consumer_index;
    uint64_t index = first;
    int taken = 0;
    while (taken < num_entries) {
        const vrnic_cqe* cqe = cq.completion_at(index);
        if (cqe == nullptr) break;
        ++index;
        Qp* qp = cq.context->qps.find(cqe->qpn);
        if (qp == nullptr) continue;  // discarded, see Cq::discard_completions_of
        translate(*cqe, *qp, wc[taken]);
        if (wc[taken].status != IBV_WC_SUCCESS) qp->note_error();
        ++taken;
    }
    if (index != first) {
        cq.consumer_index = index;
        publish_index(cq.dbrec->ci, static_cast<uint32_t>(index));
    }
    return taken;
}
