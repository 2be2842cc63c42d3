// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "completion.h"

#include "qp.h"
#include "srq.h"

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

ibv_wc_opcode receive_opcode(const vrnic_cqe& cqe) {
    return cqe.status == VRNIC_WC_SUCCESS && cqe.opcode == VRNIC_OP_RECV_WRITE_IMM
               ? IBV_WC_RECV_RDMA_WITH_IMM
               : IBV_WC_RECV;
}

// A send that fails leads a datagram or unreliable QP to SQE, where it goes on receiving
// (IBTA 10.3.1.6); all else that fails leads to Error.
bool tells_of_error(const Qp& qp, const vrnic_cqe& cqe) {
    return cqe.status != VRNIC_WC_SUCCESS &&
           (qp.send_errors_are_fatal() || !(cqe.flags & VRNIC_CQE_SEND_QUEUE));
}

}  // namespace

bool complete(const Cq& cq, const vrnic_cqe& cqe, CompletedWork& work) {
    if (cqe.qpn == kNoQp) return false;
    // The QP may be nobody's here: one that receives into an XRC queue is the kernel's.
    Qp* qp = cq.context->qps.find(cqe.qpn);
    if (cqe.srqn) {
        Srq* srq = cq.context->srqs.find(cqe.srqn);
        if (srq == nullptr) return false;
        work = {srq->retire(cqe.wqe_index), receive_opcode(cqe)};
    } else {
        if (qp == nullptr) return false;
        const bool of_send_queue = cqe.flags & VRNIC_CQE_SEND_QUEUE;
        WorkQueue& queue = of_send_queue ? qp->send : qp->receive;
        const PostedWork& posted = queue.posted[queue.ring.position(cqe.wqe_index)];
        work = {posted.wr_id, of_send_queue ? posted.opcode : receive_opcode(cqe)};
        queue.range.retire_through(cqe.wqe_index);  // last: the position may be posted anew
    }
    if (qp && tells_of_error(*qp, cqe)) qp->note_error();
    return true;
}

unsigned completion_flags(const vrnic_cqe& cqe) {
    unsigned flags = 0;
    if (cqe.flags & VRNIC_CQE_IMM) flags |= IBV_WC_WITH_IMM;
    if (cqe.flags & VRNIC_CQE_INV) flags |= IBV_WC_WITH_INV;
    if (cqe.flags & VRNIC_CQE_GRH) flags |= IBV_WC_GRH;
    return flags;
}

}  // namespace vrnic
