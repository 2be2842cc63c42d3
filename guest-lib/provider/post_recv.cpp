// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_post_recv(3): buffers become entries of the receive ring. The device looks there when a
// message comes, so that no doorbell is needed but to have receives flushed.
#include <cerrno>
#include <mutex>

#include "qp.h"

namespace vrnic {

namespace {

// Writes the request into the entry of `index`. An errno value; the ring's producer has not moved.
int build(WorkQueue& queue, uint32_t index, const ibv_recv_wr& wr) {
    if (wr.num_sge < 0 || static_cast<uint32_t>(wr.num_sge) > queue.max_sge) return EINVAL;
    std::byte* entry = queue.ring.entry(index);
    auto* sge = reinterpret_cast<vrnic_sge*>(entry + VRNIC_RQE_DATA_OFFSET);
    for (int i = 0; i < wr.num_sge; ++i) {
        sge[i].addr = wr.sg_list[i].addr;
        sge[i].length = wr.sg_list[i].length;
        sge[i].lkey = wr.sg_list[i].lkey;
    }
    // reserved stays zero: nobody writes there
    reinterpret_cast<vrnic_rqe*>(entry)->num_sge = static_cast<uint32_t>(wr.num_sge);
    queue.posted[queue.ring.position(index)] = {wr.wr_id, IBV_WC_RECV};
    return 0;
}

}  // namespace

}  // namespace vrnic

using namespace vrnic;

int vrnic_post_recv(ibv_qp* ibqp, ibv_recv_wr* wr, ibv_recv_wr** bad_wr) {
    Qp& qp = Qp::from(ibqp);
    WorkQueue& queue = qp.receive;
    // IBTA 10.3.1: not in Reset.
    if (ibqp->state < IBV_QPS_INIT || ibqp->state > IBV_QPS_ERR) {
        *bad_wr = wr;
        return EINVAL;
    }

    std::lock_guard guard(queue.lock);
    return queue.post(
        wr, bad_wr,
        [&](uint32_t index, const ibv_recv_wr& request) { return build(queue, index, request); },
        [&] {
            if (qp.in_error) qp.context->doorbell.ring(VRNIC_DB_TYPE_RQ, qp.qpn);
        });
}
