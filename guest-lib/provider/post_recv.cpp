// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_post_recv(3), ibv_post_srq_recv(3): buffers become entries of the receive ring. The device
// looks there when a message comes, so that no doorbell is needed but to have receives flushed.
#include <cerrno>
#include <mutex>

#include "qp.h"
#include "receive_entry.h"
#include "srq.h"

using namespace vrnic;

int vrnic_post_recv(ibv_qp* ibqp, ibv_recv_wr* wr, ibv_recv_wr** bad_wr) {
    Qp& qp = Qp::from(ibqp);
    WorkQueue& queue = qp.receive;
    // IBTA 10.3.1: not in Reset. With a shared receive queue there is none of the QP's own.
    if (ibqp->state < IBV_QPS_INIT || ibqp->state > IBV_QPS_ERR || ibqp->srq) {
        *bad_wr = wr;
        return EINVAL;
    }

    std::lock_guard guard(queue.lock);
    return queue.post(
        wr, bad_wr,
        [&](uint32_t index, const ibv_recv_wr& request) {
            if (!write_receive_entry(queue.ring.entry(index), request, queue.max_sge, 0))
                return EINVAL;
            queue.posted[queue.ring.position(index)] = {request.wr_id, IBV_WC_RECV};
            return 0;
        },
        [&] {
            if (qp.in_error) qp.context->doorbell.ring(VRNIC_DB_TYPE_RQ, qp.qpn);
        });
}

int vrnic_post_srq_recv(ibv_srq* ibsrq, ibv_recv_wr* wr, ibv_recv_wr** bad_wr) {
    Srq& srq = Srq::from(ibsrq);
    std::lock_guard guard(srq.lock);
    const uint32_t first = srq.produced;
    int err = 0;
    for (; wr; wr = wr->next) {
        if (!srq.has_room()) {
            err = ENOMEM;
            break;
        }
        const uint32_t tag = srq.tags[srq.free_tags - 1];
        if (!write_receive_entry(srq.ring.entry(srq.produced), *wr, srq.max_sge, tag)) {
            err = EINVAL;
            break;
        }
        srq.wr_ids[tag] = wr->wr_id;
        --srq.free_tags;
        ++srq.produced;
    }
    if (err) *bad_wr = wr;
    if (srq.produced != first) publish_index(*srq.producer_record, srq.produced);
    return err;
}
