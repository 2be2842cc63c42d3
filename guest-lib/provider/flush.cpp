// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// A device that is gone completes nothing: what is posted is flushed here (IBTA 10.3.1.7), so that
// one who only polls learns of it, and is not left waiting.
#include <mutex>

#include "qp.h"

namespace vrnic {

void Cq::add(WorkQueue& queue) {
    std::lock_guard guard(lock);
    queue.next_of_cq = queues;
    queues = &queue;
}

void Cq::remove(WorkQueue& queue) {
    std::lock_guard guard(lock);
    for (WorkQueue** link = &queues; *link; link = &(*link)->next_of_cq) {
        if (*link != &queue) continue;
        *link = queue.next_of_cq;
        return;
    }
}

const vrnic_cqe* Cq::next_flushed() {
    for (WorkQueue* queue = queues; queue; queue = queue->next_of_cq) {
        std::lock_guard guard(queue->lock);
        if (queue->range.all_done()) continue;
        flushed = {};
        flushed.qpn = queue->qpn;
        flushed.flags = queue->sends ? VRNIC_CQE_SEND_QUEUE : 0;
        flushed.wqe_index = queue->range.retired();
        flushed.status = VRNIC_WC_WR_FLUSH_ERR;
        return &flushed;
    }
    return nullptr;
}

}  // namespace vrnic

using namespace vrnic;

// An object that the kernel took with the device need not be destroyed there.
bool vrnic_context_is_gone(ibv_context* context) {
    return !Context::from(context).state.alive();
}
