// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "qp.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <new>

#include "receive_entry.h"
#include "vrnic_admin.h"

namespace vrnic {

namespace {

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

size_t list_offset(uint8_t kind) {
    return kind == kUd ? VRNIC_SQE_DATAGRAM_DATA_OFFSET : VRNIC_SQE_DATA_OFFSET;
}

QpLayout plan(const ibv_qp_cap& cap, uint8_t kind, uint32_t max_send_entries) {
    QpLayout layout;
    if (cap.max_send_wr) {
        const size_t payload =
            std::max<size_t>(cap.max_inline_data, cap.max_send_sge * sizeof(vrnic_sge));
        layout.send_log_size =
            log2_ceil(std::max(cap.max_send_wr, std::min(kMinSendEntries, max_send_entries)));
        layout.send_log_stride =
            std::max<uint8_t>(VRNIC_SQE_STRIDE_MIN_LOG,
                              log2_ceil(static_cast<uint32_t>(list_offset(kind) + payload)));
    }
    if (cap.max_recv_wr) {
        layout.receive_log_size = log2_ceil(cap.max_recv_wr);
        layout.receive_log_stride = receive_log_stride(cap.max_recv_sge);
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

// By enum ibv_qp_type; 0: not offered, or without queues of its own.
uint8_t kind_of(ibv_qp_type type) {
    switch (type) {
        case IBV_QPT_RC:
            return kRc;
        case IBV_QPT_UC:
            return kUc;
        case IBV_QPT_UD:
            return kUd;
        case IBV_QPT_XRC_SEND:
            return kXrc;
        default:
            return 0;
    }
}

// What is asked for, of a QP with queues. An errno value.
int check(const Qp& qp, const ibv_qp_init_attr_ex& attr) {
    constexpr uint32_t kKnown =
        IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
    if (qp.kind == 0 || (attr.comp_mask & ~kKnown)) return EOPNOTSUPP;
    if ((attr.comp_mask & IBV_QP_INIT_ATTR_CREATE_FLAGS) &&
        (attr.create_flags & ~uint32_t{IBV_QP_CREATE_BLOCK_SELF_MCAST_LB}))
        return EOPNOTSUPP;
    if ((attr.comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) &&
        (attr.send_ops_flags & ~qp.operations))
        return EOPNOTSUPP;
    if (!(attr.comp_mask & IBV_QP_INIT_ATTR_PD) || attr.send_cq == nullptr ||
        (attr.recv_cq == nullptr && qp.kind != kXrc))
        return EINVAL;
    return within_limits(attr.cap, qp.context->limits) ? 0 : EINVAL;
}

// What the queues hold, which may be more than was asked for.
void tell_capacity(Qp& qp, ibv_qp_cap& cap) {
    const vrnic_ib_alloc_ucontext_resp& limits = qp.context->limits;
    if (qp.send.ring.size()) {
        const auto room = static_cast<uint32_t>(qp.send.ring.stride() - list_offset(qp.kind));
        qp.send.max_sge = std::min<uint32_t>(room / sizeof(vrnic_sge), limits.max_send_sge);
        qp.send.max_inline = std::min(room, limits.max_inline);
    }
    if (qp.receive.ring.size())
        qp.receive.max_sge = std::min(receive_sges(qp.receive.ring.stride()), limits.max_recv_sge);
    cap = qp.capacity();
}

// Makes the QP in the kernel and enters it in the table. An errno value.
int create_in_kernel(Qp& qp, ibv_context* context, ibv_qp_init_attr_ex& attr,
                     const vrnic_ib_create_qp_req& req) {
    std::lock_guard guard(qp.context->tables_lock);
    vrnic_ib_create_qp_resp resp{};
    if (int err = glue_cmd_create_qp(context, qp.ibv(), &attr, &req, &resp)) return err;
    qp.qpn = resp.qpn;
    if (qp.context->qps.insert(qp.qpn, &qp)) return 0;
    (void)glue_cmd_destroy_qp(qp.ibv());
    return ENOMEM;
}

// 0, or an errno value. On success `qp` is complete and in the table; `attr` says what it can hold.
int create(Qp& qp, ibv_context* ibcontext, ibv_qp_init_attr_ex& attr) {
    qp.operations = operations_of(qp.kind, qp.context->limits.features);
    if (int err = check(qp, attr)) return err;
    // IBTA 10.2.9: the receives of a shared queue are not the QP's. An XRC one that sends has none.
    if (attr.srq || qp.kind == kXrc) attr.cap.max_recv_wr = attr.cap.max_recv_sge = 0;

    const QpLayout layout = plan(attr.cap, qp.kind, qp.context->limits.max_sq_entries);
    if (layout.send_log_stride > VRNIC_SQE_STRIDE_MAX_LOG ||
        layout.receive_log_stride > VRNIC_RQE_STRIDE_MAX_LOG)
        return EINVAL;
    qp.domain = DomainUse(&Pd::from(attr.pd));
    auto memory = QueueMemory::create(layout.total, QueueKind::kQp, qp.domain.get());
    if (!memory) return memory.error();
    qp.memory = std::move(*memory);
    qp.signal_all = attr.sq_sig_all;
    // Receives are announced by whoever takes an event too, in any thread: their lock stays.
    qp.send.lock.set_single_threaded(qp.domain.get()->single_threaded());

    qp.dbrec = reinterpret_cast<vrnic_qp_dbrec*>(qp.memory.at(layout.dbrec_offset));
    if (!prepare(qp.send, qp.memory.at(0), layout.send_log_size, layout.send_log_stride,
                 &qp.dbrec->sq_pi) ||
        !prepare(qp.receive, qp.memory.at(layout.receive_offset), layout.receive_log_size,
                 layout.receive_log_stride, &qp.dbrec->rq_pi))
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
    if (int err = create_in_kernel(qp, ibcontext, attr, req)) return err;

    qp.join_completion_queues();
    tell_capacity(qp, attr.cap);
    if (attr.comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) {
        qp.send_operations = attr.send_ops_flags;
        set_send_calls(*qp.extended(), glue_mark_qp_extended(qp.ibv()));
    }
    return 0;
}

}  // namespace

void Qp::note_error() {
    if (receive.ring.size() == 0) return;
    {
        std::lock_guard guard(receive.lock);
        if (in_error) return;
        in_error = true;
    }
    // Receives that were posted while we did not know yet.
    context->doorbell.ring(VRNIC_DB_TYPE_RQ, qpn);
}

void Qp::announce_sends() const {
    // The index is seen before this is read: a device that read it for the last time before that
    // has told so already.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (__atomic_load_n(&dbrec->sq_busy.raw, __ATOMIC_RELAXED) == 0)
        context->doorbell.ring(VRNIC_DB_TYPE_SQ, qpn);
}

void Qp::discard_completions() {
    if (ibv()->send_cq) Cq::from(ibv()->send_cq).discard_completions_of(qpn);
    if (ibv()->recv_cq && ibv()->recv_cq != ibv()->send_cq)
        Cq::from(ibv()->recv_cq).discard_completions_of(qpn);
}

void Qp::join_completion_queues() {
    send.qpn = receive.qpn = qpn;
    send.sends = true;
    if (send.ring.size()) Cq::from(ibv()->send_cq).add(send);
    if (receive.ring.size()) Cq::from(ibv()->recv_cq).add(receive);
}

void Qp::leave_completion_queues() {
    if (send.ring.size()) Cq::from(ibv()->send_cq).remove(send);
    if (receive.ring.size()) Cq::from(ibv()->recv_cq).remove(receive);
}

ibv_qp_cap Qp::capacity() const {
    return {.max_send_wr = send.ring.size(),
            .max_recv_wr = receive.ring.size(),
            .max_send_sge = send.max_sge,
            .max_recv_sge = receive.max_sge,
            .max_inline_data = send.max_inline};
}

void Qp::reset_queues() {
    discard_completions();
    for (WorkQueue* queue : {&send, &receive}) {
        if (queue->producer_record == nullptr) continue;  // the kernel's
        std::lock_guard guard(queue->lock);
        queue->range.reset();
        publish_index(*queue->producer_record, 0);
    }
    if (dbrec != nullptr) publish_index(dbrec->sq_busy, 0);
    std::lock_guard guard(receive.lock);
    in_error = false;
}

}  // namespace vrnic

using namespace vrnic;

ibv_qp* vrnic_create_qp_ex(ibv_context* context, ibv_qp_init_attr_ex* attr) {
    auto* qp = new (std::nothrow) Qp;
    if (qp == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    qp->context = &Context::from(context).state;
    qp->kind = kind_of(attr->qp_type);
    const int err = attr->qp_type == IBV_QPT_XRC_RECV
                        ? glue_cmd_create_qp(context, qp->ibv(), attr, nullptr, nullptr)
                        : create(*qp, context, *attr);
    if (err) {
        delete qp;
        errno = err;
        return nullptr;
    }
    return qp->ibv();
}

ibv_qp* vrnic_create_qp(ibv_pd* pd, ibv_qp_init_attr* attr) {
    ibv_qp_init_attr_ex extended{};
    extended.qp_context = attr->qp_context;
    extended.send_cq = attr->send_cq;
    extended.recv_cq = attr->recv_cq;
    extended.srq = attr->srq;
    extended.cap = attr->cap;
    extended.qp_type = attr->qp_type;
    extended.sq_sig_all = attr->sq_sig_all;
    extended.comp_mask = IBV_QP_INIT_ATTR_PD;
    extended.pd = pd;
    ibv_qp* qp = vrnic_create_qp_ex(pd->context, &extended);
    if (qp) attr->cap = extended.cap;
    return qp;
}

// Another process made it: one that receives for XRC.
ibv_qp* vrnic_open_qp(ibv_context* context, ibv_qp_open_attr* attr) {
    auto* qp = new (std::nothrow) Qp;
    if (qp == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    qp->context = &Context::from(context).state;
    if (int err = glue_cmd_open_qp(context, qp->ibv(), attr)) {
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
    attr->cap = init_attr->cap = Qp::from(ibqp).capacity();
    if (attr->qp_state == IBV_QPS_ERR) Qp::from(ibqp).note_error();
    return 0;
}

int vrnic_destroy_qp(ibv_qp* ibqp) {
    Qp& qp = Qp::from(ibqp);
    {
        std::lock_guard guard(qp.context->tables_lock);
        if (int err = glue_cmd_destroy_qp(ibqp)) return err;
        if (qp.kind) {
            // The device writes no completion of it any more. Whoever polls holds the lock of the
            // completion queue while he uses the QP, and finds it no more after this.
            qp.discard_completions();
            qp.leave_completion_queues();
            qp.context->qps.erase(qp.qpn);
        }
    }
    delete &qp;
    return 0;
}
