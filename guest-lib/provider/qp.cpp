// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "qp.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>

#include "vrnic_admin.h"

namespace vrnic {

namespace {

constexpr size_t kCacheLine = 64;

// A smaller send queue is given this much room, as by most devices: perftest with events and a
// depth of one posts ahead of the completions that it has polled.
constexpr uint32_t kMinSendEntries = 64;

// Where things are in the memory of a QP: send ring, receive ring, doorbell record.
struct QpLayout {
    uint8_t send_log_size = VRNIC_NO_QUEUE;
    uint8_t send_log_stride = VRNIC_SQE_STRIDE_MIN_LOG;
    uint8_t receive_log_size = VRNIC_NO_QUEUE;
    uint8_t receive_log_stride = VRNIC_RQE_STRIDE_MIN_LOG;
    size_t receive_offset = 0;
    size_t dbrec_offset = 0;
    size_t total = 0;
};

size_t ring_bytes(uint8_t log_size, uint8_t log_stride) {
    return log_size == VRNIC_NO_QUEUE ? 0 : size_t{1} << (log_size + log_stride);
}

bool within_limits(const ibv_qp_cap& cap, const vrnic_ib_alloc_ucontext_resp& limits) {
    return cap.max_send_wr <= limits.max_sq_entries && cap.max_recv_wr <= limits.max_rq_entries &&
           cap.max_send_sge <= limits.max_send_sge && cap.max_recv_sge <= limits.max_recv_sge &&
           cap.max_inline_data <= limits.max_inline;
}

QpLayout plan(const ibv_qp_cap& cap, uint32_t max_send_entries) {
    QpLayout layout;
    if (cap.max_send_wr) {
        const size_t payload =
            std::max<size_t>(cap.max_inline_data, cap.max_send_sge * sizeof(vrnic_sge));
        layout.send_log_size =
            log2_ceil(std::max(cap.max_send_wr, std::min(kMinSendEntries, max_send_entries)));
        layout.send_log_stride =
            std::max<uint8_t>(VRNIC_SQE_STRIDE_MIN_LOG, log2_ceil(VRNIC_SQE_DATA_OFFSET + payload));
    }
    if (cap.max_recv_wr) {
        const size_t payload = cap.max_recv_sge * sizeof(vrnic_sge);
        layout.receive_log_size = log2_ceil(cap.max_recv_wr);
        layout.receive_log_stride =
            std::max<uint8_t>(VRNIC_RQE_STRIDE_MIN_LOG, log2_ceil(VRNIC_RQE_DATA_OFFSET + payload));
    }
    layout.receive_offset =
        align_up(ring_bytes(layout.send_log_size, layout.send_log_stride), kCacheLine);
    layout.dbrec_offset = align_up(
        layout.receive_offset + ring_bytes(layout.receive_log_size, layout.receive_log_stride),
        kCacheLine);
    layout.total = layout.dbrec_offset + sizeof(vrnic_qp_dbrec);
    return layout;
}

// false: no memory.
bool prepare(WorkQueue& queue, std::byte* base, uint8_t log_size, uint8_t log_stride,
             vrnic_le32* record) {
    queue.producer_record = record;
    if (log_size == VRNIC_NO_QUEUE) return true;  // stays without room
    queue.ring = Ring(base, log_size, log_stride);
    queue.range.set_capacity(queue.ring.size());
    queue.posted.reset(new (std::nothrow) PostedWork[queue.ring.size()]{});
    return queue.posted != nullptr;
}

// 0, or an errno value. On success `qp` is complete and in the table; `attr` says what it can hold.
int create(Qp& qp, ibv_pd* pd, ibv_qp_init_attr& attr) {
    Context::State& context = Context::from(pd->context).state;
    if (attr.qp_type != IBV_QPT_RC || attr.srq) return EOPNOTSUPP;
    if (!within_limits(attr.cap, context.limits)) return EINVAL;

    const QpLayout layout = plan(attr.cap, context.limits.max_sq_entries);
    if (layout.send_log_stride > VRNIC_SQE_STRIDE_MAX_LOG ||
        layout.receive_log_stride > VRNIC_RQE_STRIDE_MAX_LOG)
        return EINVAL;
    auto memory = QueueMemory::create(layout.total);
    if (!memory) return memory.error();
    qp.context = &context;
    qp.memory = std::move(*memory);
    qp.signal_all = attr.sq_sig_all;

    auto* dbrec = reinterpret_cast<vrnic_qp_dbrec*>(qp.memory.at(layout.dbrec_offset));
    if (!prepare(qp.send, qp.memory.at(0), layout.send_log_size, layout.send_log_stride,
                 &dbrec->sq_pi) ||
        !prepare(qp.receive, qp.memory.at(layout.receive_offset), layout.receive_log_size,
                 layout.receive_log_stride, &dbrec->rq_pi))
        return ENOMEM;

    vrnic_ib_create_qp_req req{};
    req.buf_va = reinterpret_cast<uintptr_t>(qp.memory.at(0));
    req.buf_len = qp.memory.size();
    req.sq_offset = 0;
    req.rq_offset = static_cast<uint32_t>(layout.receive_offset);
    req.dbrec_offset = static_cast<uint32_t>(layout.dbrec_offset);
    req.sq_log_size = layout.send_log_size;
    req.sq_log_stride = layout.send_log_stride;
    req.rq_log_size = layout.receive_log_size;
    req.rq_log_stride = layout.receive_log_stride;

    std::lock_guard guard(context.qps_lock);
    vrnic_ib_create_qp_resp resp{};
    if (int err = glue_cmd_create_qp(pd, qp.ibv(), &attr, &req, &resp)) return err;
    qp.qpn = resp.qpn;
    if (!context.qps.insert(qp.qpn, &qp)) {
        (void)glue_cmd_destroy_qp(qp.ibv());
        return ENOMEM;
    }

    attr.cap.max_send_wr = qp.send.ring.size();
    attr.cap.max_recv_wr = qp.receive.ring.size();
    if (qp.send.ring.size()) {
        const auto room = static_cast<uint32_t>(qp.send.ring.stride() - VRNIC_SQE_DATA_OFFSET);
        qp.send.max_sge = std::min<uint32_t>(room / sizeof(vrnic_sge), context.limits.max_send_sge);
        qp.send.max_inline = std::min(room, context.limits.max_inline);
    }
    if (qp.receive.ring.size()) {
        const auto room = static_cast<uint32_t>(qp.receive.ring.stride() - VRNIC_RQE_DATA_OFFSET);
        qp.receive.max_sge =
            std::min<uint32_t>(room / sizeof(vrnic_sge), context.limits.max_recv_sge);
    }
    attr.cap.max_send_sge = qp.send.max_sge;
    attr.cap.max_inline_data = qp.send.max_inline;
    attr.cap.max_recv_sge = qp.receive.max_sge;
    return 0;
}

}  // namespace

void Qp::note_error() {
    {
        std::lock_guard guard(receive.lock);
        if (in_error) return;
        in_error = true;
    }
    // Receives that were posted while we did not know yet.
    context->doorbell.ring(VRNIC_DB_TYPE_RQ, qpn);
}

void Qp::discard_completions() {
    Cq& send_cq = Cq::from(ibv()->send_cq);
    Cq& recv_cq = Cq::from(ibv()->recv_cq);
    send_cq.discard_completions_of(qpn);
    if (&recv_cq != &send_cq) recv_cq.discard_completions_of(qpn);
}

void Qp::reset_queues() {
    discard_completions();
    for (WorkQueue* queue : {&send, &receive}) {
        std::lock_guard guard(queue->lock);
        queue->range.reset();
        publish_index(*queue->producer_record, 0);
    }
    std::lock_guard guard(receive.lock);
    in_error = false;
}

}  // namespace vrnic

using namespace vrnic;

ibv_qp* vrnic_create_qp(ibv_pd* pd, ibv_qp_init_attr* attr) {
    auto* qp = new (std::nothrow) Qp;
    if (qp == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    if (int err = create(*qp, pd, *attr)) {
        delete qp;
        errno = err;
        return nullptr;
    }
    return qp->ibv();
}

int vrnic_modify_qp(ibv_qp* ibqp, ibv_qp_attr* attr, int attr_mask) {
    if (int err = glue_cmd_modify_qp(ibqp, attr, attr_mask)) return err;
    if (attr_mask & IBV_QP_STATE) {
        if (attr->qp_state == IBV_QPS_RESET) Qp::from(ibqp).reset_queues();
        if (attr->qp_state == IBV_QPS_ERR) Qp::from(ibqp).note_error();
    }
    return 0;
}

int vrnic_query_qp(ibv_qp* ibqp, ibv_qp_attr* attr, int attr_mask, ibv_qp_init_attr* init_attr) {
    if (int err = glue_cmd_query_qp(ibqp, attr, attr_mask, init_attr)) return err;
    const Qp& qp = Qp::from(ibqp);
    init_attr->cap.max_send_wr = qp.send.ring.size();
    init_attr->cap.max_recv_wr = qp.receive.ring.size();
    init_attr->cap.max_send_sge = qp.send.max_sge;
    init_attr->cap.max_recv_sge = qp.receive.max_sge;
    init_attr->cap.max_inline_data = qp.send.max_inline;
    attr->cap = init_attr->cap;
    if (attr->qp_state == IBV_QPS_ERR) Qp::from(ibqp).note_error();
    return 0;
}

int vrnic_destroy_qp(ibv_qp* ibqp) {
    Qp& qp = Qp::from(ibqp);
    {
        std::lock_guard guard(qp.context->qps_lock);
        if (int err = glue_cmd_destroy_qp(ibqp)) return err;
        // The device writes no completion of it any more. Whoever polls holds the lock of the
        // completion queue while he uses the QP, and finds it no more after this.
        qp.discard_completions();
        qp.context->qps.erase(qp.qpn);
    }
    delete &qp;
    return 0;
}
