// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_kernel.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "cq.h"
#include "qp.h"
#include "srq.h"

namespace vrnic::provider_test {

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 3;  // doorbell, clock, state
FakeKernel* the_kernel = nullptr;

const std::byte* memory(uint64_t va, uint64_t offset) {
    return reinterpret_cast<const std::byte*>(va) + offset;
}

}  // namespace

FakeKernel& FakeKernel::current() {
    return *the_kernel;
}

FakeKernel::FakeKernel() {
    assert(!the_kernel);
    the_kernel = this;
    limits.db_mmap_size = kPage;
    limits.db_offset = 64;
    limits.features = ~uint64_t{0};
    limits.max_inline = 256;
    limits.max_send_sge = 16;
    limits.max_recv_sge = 16;
    limits.max_sq_entries = 1024;
    limits.max_rq_entries = 1024;
    limits.max_cq_entries = 4096;
    limits.max_srq_entries = 1024;
    limits.clock_mmap_key = kPage;
    limits.clock_mmap_size = kPage;
    limits.clock_offset = 128;
    limits.state_mmap_key = 2 * kPage;
    limits.state_mmap_size = kPage;
    doorbell_fd_ = memfd_create("doorbell", 0);
    if (ftruncate(doorbell_fd_, kPages * kPage) != 0) std::abort();
    void* pages =
        mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, doorbell_fd_, 0);
    auto* bytes = static_cast<std::byte*>(pages);
    doorbell_ = reinterpret_cast<uint64_t*>(bytes + limits.db_offset);
    clock_ = reinterpret_cast<uint64_t*>(bytes + kPage + limits.clock_offset);
    state_ = reinterpret_cast<vrnic_ib_state*>(bytes + 2 * kPage);
    state_->alive = 1;
    verbs_context* verbs = vrnic_alloc_context(nullptr, doorbell_fd_);
    context_ = verbs ? &verbs->context : nullptr;
    pd_ = vrnic_alloc_pd(context_);
}

FakeKernel::~FakeKernel() {
    if (vrnic_dealloc_pd(pd_)) std::abort();  // a queue was left, or never told its end
    if (context_) vrnic_free_context(context_);
    munmap(
        const_cast<std::byte*>(reinterpret_cast<volatile std::byte*>(doorbell_)) - limits.db_offset,
        kPages * kPage);
    close(doorbell_fd_);
    the_kernel = nullptr;
}

ibv_cq* FakeKernel::create_cq(int entries) {
    return vrnic_create_cq(context_, entries, nullptr, 0);
}

ibv_cq_ex* FakeKernel::create_cq_ex(uint64_t wc_flags, uint32_t flags, ibv_pd* parent_domain) {
    ibv_cq_init_attr_ex attr{};
    attr.cqe = 16;
    attr.wc_flags = wc_flags;
    attr.comp_mask = IBV_CQ_INIT_ATTR_MASK_FLAGS | IBV_CQ_INIT_ATTR_MASK_PD;
    attr.flags = flags;
    attr.parent_domain = parent_domain;
    return vrnic_create_cq_ex(context_, &attr);
}

ibv_qp* FakeKernel::create_qp(ibv_cq* cq, ibv_qp_init_attr& attr) {
    attr.send_cq = attr.recv_cq = cq;
    return vrnic_create_qp(pd_, &attr);
}

namespace {

constexpr ibv_qp_cap kSmall = {.max_send_wr = 4,
                               .max_recv_wr = 4,
                               .max_send_sge = 2,
                               .max_recv_sge = 2,
                               .max_inline_data = 32};

}  // namespace

ibv_qp* FakeKernel::create_qp(ibv_cq* cq, ibv_qp_type type, ibv_srq* srq) {
    ibv_qp_init_attr attr{};
    attr.qp_type = type;
    attr.srq = srq;
    attr.cap = kSmall;
    ibv_qp* qp = create_qp(cq, attr);
    if (qp) qp->state = IBV_QPS_RTS;
    return qp;
}

ibv_qp_ex* FakeKernel::create_qp_ex(ibv_cq* cq, ibv_qp_type type, uint64_t operations) {
    ibv_qp_init_attr_ex attr{};
    attr.qp_type = type;
    attr.cap = kSmall;
    attr.send_cq = attr.recv_cq = cq;
    attr.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
    attr.pd = pd_;
    attr.send_ops_flags = operations;
    ibv_qp* qp = vrnic_create_qp_ex(context_, &attr);
    if (qp) qp->state = IBV_QPS_RTS;
    return reinterpret_cast<ibv_qp_ex*>(qp);
}

ibv_srq* FakeKernel::create_srq(uint32_t entries, uint32_t sges) {
    ibv_srq_init_attr attr{};
    attr.attr.max_wr = entries;
    attr.attr.max_sge = sges;
    return vrnic_create_srq(pd_, &attr);
}

ibv_srq* FakeKernel::create_xrc_srq(ibv_cq* cq, uint32_t entries) {
    static ibv_xrcd domain{};
    ibv_srq_init_attr_ex attr{};
    attr.attr.max_wr = entries;
    attr.attr.max_sge = 1;
    attr.comp_mask = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD | IBV_SRQ_INIT_ATTR_XRCD |
                     IBV_SRQ_INIT_ATTR_CQ;
    attr.srq_type = IBV_SRQT_XRC;
    attr.pd = pd_;
    attr.xrcd = &domain;
    attr.cq = cq;
    return vrnic_create_srq_ex(context_, &attr);
}

ibv_ah* FakeKernel::create_ah(uint8_t number) {
    ibv_ah_attr attr{};
    attr.dlid = number;
    return vrnic_create_ah(pd_, &attr);
}

int FakeKernel::move_to(ibv_qp* qp, ibv_qp_state state) {
    ibv_qp_attr attr{};
    attr.qp_state = state;
    const int err = vrnic_modify_qp(qp, &attr, IBV_QP_STATE);
    if (!err) qp->state = state;
    return err;
}

uint64_t FakeKernel::take_doorbell() {
    return std::exchange(*const_cast<uint64_t*>(doorbell_), 0);
}

const vrnic_sqe& FakeKernel::send_entry(const ibv_qp* qp, uint32_t index) const {
    const auto& req = request_of(qp);
    const uint64_t position = index & ((1u << req.sq_log_size) - 1);
    return *reinterpret_cast<const vrnic_sqe*>(
        memory(req.buf_va, req.sq_offset + (position << req.sq_log_stride)));
}

const std::byte* FakeKernel::send_data(const ibv_qp* qp, uint32_t index) const {
    return reinterpret_cast<const std::byte*>(&send_entry(qp, index)) + VRNIC_SQE_DATA_OFFSET;
}

const vrnic_rqe& FakeKernel::receive_entry(const ibv_qp* qp, uint32_t index) const {
    const auto& req = request_of(qp);
    const uint64_t position = index & ((1u << req.rq_log_size) - 1);
    return *reinterpret_cast<const vrnic_rqe*>(
        memory(req.buf_va, req.rq_offset + (position << req.rq_log_stride)));
}

const vrnic_qp_dbrec& FakeKernel::record(const ibv_qp* qp) const {
    const auto& req = request_of(qp);
    return *reinterpret_cast<const vrnic_qp_dbrec*>(memory(req.buf_va, req.dbrec_offset));
}

void FakeKernel::set_send_busy(const ibv_qp* qp, bool busy) {
    const_cast<vrnic_qp_dbrec&>(record(qp)).sq_busy = busy ? 1u : 0u;
}

const vrnic_cq_dbrec& FakeKernel::record(const ibv_cq* cq) const {
    const auto& req = cqs_.at(cq->handle);
    return *reinterpret_cast<const vrnic_cq_dbrec*>(memory(req.buf_va, req.dbrec_offset));
}

const vrnic_srq_dbrec& FakeKernel::record(const ibv_srq* srq) const {
    const auto& req = srqs_.at(srq->handle);
    return *reinterpret_cast<const vrnic_srq_dbrec*>(memory(req.buf_va, req.dbrec_offset));
}

const vrnic_rqe& FakeKernel::receive_entry(const ibv_srq* srq, uint32_t index) const {
    const auto& req = srqs_.at(srq->handle);
    const uint64_t position = index & ((1u << req.log_size) - 1);
    return *reinterpret_cast<const vrnic_rqe*>(
        memory(req.buf_va, req.ring_offset + (position << req.log_stride)));
}

void FakeKernel::complete(ibv_cq* cq, vrnic_cqe completion) {
    const auto& req = cqs_.at(cq->handle);
    const uint64_t index = produced_[cq]++;
    const uint64_t position = index & ((1u << req.log_size) - 1);
    completion.seq = index + 1;
    auto* ring = const_cast<std::byte*>(memory(req.buf_va, req.ring_offset));
    reinterpret_cast<vrnic_cqe*>(ring)[position] = completion;
}

void FakeKernel::complete_send(ibv_cq* cq, const ibv_qp* qp, uint32_t index, uint8_t status) {
    vrnic_cqe cqe{};
    cqe.qpn = qp->qp_num;
    cqe.opcode = VRNIC_OP_SEND;
    cqe.flags = VRNIC_CQE_SEND_QUEUE;
    cqe.status = status;
    cqe.wqe_index = index;
    complete(cq, cqe);
}

void FakeKernel::complete_receive(ibv_cq* cq, const ibv_qp* qp, uint32_t index, uint8_t status) {
    vrnic_cqe cqe{};
    cqe.qpn = qp->qp_num;
    cqe.opcode = VRNIC_OP_RECV;
    cqe.status = status;
    cqe.wqe_index = index;
    complete(cq, cqe);
}

void FakeKernel::complete_srq(ibv_cq* cq, const ibv_srq* srq, uint32_t qpn, uint32_t index,
                              uint8_t status) {
    vrnic_cqe cqe{};
    cqe.qpn = qpn;
    cqe.opcode = VRNIC_OP_RECV;
    cqe.status = status;
    cqe.wqe_index = receive_entry(srq, index).tag;
    cqe.srqn = srq->handle;
    complete(cq, cqe);
}

}  // namespace vrnic::provider_test

// ---- verbs_glue.h ----

using vrnic::provider_test::FakeKernel;

verbs_context* glue_new_context(ibv_device*, int, size_t size) {
    return static_cast<verbs_context*>(std::calloc(1, size));
}
void glue_free_context(verbs_context* context) {
    std::free(context);
}
void glue_set_ops(verbs_context*) {}
int glue_cmd_get_context(verbs_context*, vrnic_ib_alloc_ucontext_resp* resp) {
    *resp = FakeKernel::current().limits;
    return 0;
}

int glue_cmd_query_context(verbs_context*, vrnic_ib_alloc_ucontext_resp* resp) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    *resp = kernel.limits;
    return 0;
}

int glue_cmd_alloc_pd(ibv_context* context, ibv_pd* pd) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    pd->context = context;
    pd->handle = kernel.next_number++;
    ++kernel.kernel_pds;
    return 0;
}
int glue_cmd_dealloc_pd(ibv_pd*) {
    if (int error = FakeKernel::current().take_error()) return error;
    --FakeKernel::current().kernel_pds;
    return 0;
}

int glue_cmd_create_ah(ibv_pd*, ibv_ah*, ibv_ah_attr* attr, vrnic_ib_create_ah_resp* resp) {
    if (int error = FakeKernel::current().take_error()) return error;
    std::memset(resp->av.dgid, attr->dlid, sizeof(resp->av.dgid));
    std::memset(resp->av.dmac, attr->dlid, sizeof(resp->av.dmac));
    return 0;
}
int glue_cmd_destroy_ah(ibv_ah*) {
    return FakeKernel::current().take_error();
}

int glue_cmd_create_cq(ibv_context* context, const ibv_cq_init_attr_ex*, ibv_cq* cq,
                       const vrnic_ib_create_cq_req* req, vrnic_ib_create_cq_resp* resp) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    cq->context = context;
    cq->handle = resp->cqn = kernel.next_number++;
    kernel.cqs_[cq->handle] = *req;
    return 0;
}

// As the device does it: what was not consumed, to its place in the new ring.
int glue_cmd_resize_cq(ibv_cq* cq, int, const vrnic_ib_resize_cq_req* req) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    vrnic_ib_create_cq_req& old = kernel.cqs_.at(cq->handle);
    const uint64_t produced = kernel.produced_[cq];
    const uint64_t consumed = kernel.record(cq).ci;
    if (produced - consumed > uint64_t{1} << req->log_size) return EINVAL;
    auto* from = reinterpret_cast<vrnic_cqe*>(old.buf_va + old.ring_offset);
    auto* to = reinterpret_cast<vrnic_cqe*>(req->buf_va + req->ring_offset);
    for (uint64_t i = consumed; i < produced; ++i)
        to[i & ((1u << req->log_size) - 1)] = from[i & ((1u << old.log_size) - 1)];
    old.buf_va = req->buf_va;
    old.buf_len = req->buf_len;
    old.ring_offset = req->ring_offset;
    old.dbrec_offset = req->dbrec_offset;
    old.log_size = req->log_size;
    return 0;
}
int glue_cmd_destroy_cq(ibv_cq*) {
    return FakeKernel::current().take_error();
}

int glue_cmd_create_srq(ibv_context* context, ibv_srq* srq, ibv_srq_init_attr_ex*,
                        const vrnic_ib_create_srq_req* req, vrnic_ib_create_srq_resp* resp) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    srq->context = context;
    srq->handle = resp->srqn = kernel.next_number++;
    kernel.srqs_[srq->handle] = *req;
    return 0;
}
// As the device does it: all that was posted, for the fake takes nothing.
int glue_cmd_modify_srq(ibv_srq* srq, ibv_srq_attr*, int, const vrnic_ib_modify_srq_req* req) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    if (!req) return 0;
    vrnic_ib_create_srq_req& old = kernel.srqs_.at(srq->handle);
    const uint32_t posted = kernel.record(srq).pi;
    const size_t stride = size_t{1} << old.log_stride;
    const uint32_t size = 1u << req->log_size;
    for (uint32_t i = posted - std::min(posted, size); i != posted; ++i)
        std::memcpy(reinterpret_cast<std::byte*>(req->buf_va) + (i & (size - 1)) * stride,
                    &kernel.receive_entry(srq, i), stride);
    old.buf_va = req->buf_va;
    old.buf_len = req->buf_len;
    old.ring_offset = req->ring_offset;
    old.dbrec_offset = req->dbrec_offset;
    old.log_size = req->log_size;
    return 0;
}
int glue_cmd_destroy_srq(ibv_srq*) {
    return FakeKernel::current().take_error();
}

int glue_cmd_create_qp(ibv_context* context, ibv_qp* qp, ibv_qp_init_attr_ex* attr,
                       const vrnic_ib_create_qp_req* req, vrnic_ib_create_qp_resp* resp) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    kernel.last_qp_attr = *attr;
    qp->context = context;
    qp->pd = attr->pd;
    qp->send_cq = attr->send_cq;
    qp->recv_cq = attr->recv_cq;
    qp->srq = attr->srq;
    qp->qp_num = kernel.next_number++;
    if (resp) resp->qpn = qp->qp_num;
    if (req) kernel.qps_[qp->qp_num] = *req;
    return 0;
}
int glue_cmd_open_qp(ibv_context* context, ibv_qp* qp, ibv_qp_open_attr* attr) {
    if (int error = FakeKernel::current().take_error()) return error;
    qp->context = context;
    qp->qp_num = attr->qp_num;
    return 0;
}
bool glue_mark_qp_extended(ibv_qp*) {
    return FakeKernel::current().knows_flush;
}
int glue_cmd_modify_qp(ibv_qp*, ibv_qp_attr*, int) {
    return FakeKernel::current().take_error();
}
int glue_cmd_query_qp(ibv_qp*, ibv_qp_attr*, int, ibv_qp_init_attr*) {
    return FakeKernel::current().take_error();
}
int glue_cmd_destroy_qp(ibv_qp*) {
    return FakeKernel::current().take_error();
}
int glue_dontfork(void*, size_t) {
    return 0;
}
void glue_dofork(void*, size_t) {}
