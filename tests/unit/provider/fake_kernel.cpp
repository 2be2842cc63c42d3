// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_kernel.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cassert>
#include <cstdlib>
#include <utility>

#include "cq.h"
#include "qp.h"

namespace vrnic::provider_test {

namespace {

constexpr size_t kPage = 4096;
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
    limits.max_inline = 256;
    limits.max_send_sge = 16;
    limits.max_recv_sge = 16;
    limits.max_sq_entries = 1024;
    limits.max_rq_entries = 1024;
    limits.max_cq_entries = 4096;
    doorbell_fd_ = memfd_create("doorbell", 0);
    if (ftruncate(doorbell_fd_, kPage) != 0) std::abort();
    void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, doorbell_fd_, 0);
    doorbell_ = reinterpret_cast<uint64_t*>(static_cast<std::byte*>(page) + limits.db_offset);
    verbs_context* verbs = vrnic_alloc_context(nullptr, doorbell_fd_);
    context_ = verbs ? &verbs->context : nullptr;
    pd_.context = context_;
}

FakeKernel::~FakeKernel() {
    if (context_) vrnic_free_context(context_);
    munmap(
        const_cast<std::byte*>(reinterpret_cast<volatile std::byte*>(doorbell_)) - limits.db_offset,
        kPage);
    close(doorbell_fd_);
    the_kernel = nullptr;
}

ibv_cq* FakeKernel::create_cq(int entries) {
    return vrnic_create_cq(context_, entries, nullptr, 0);
}

ibv_qp* FakeKernel::create_qp(ibv_cq* cq, ibv_qp_init_attr& attr) {
    attr.send_cq = attr.recv_cq = cq;
    return vrnic_create_qp(&pd_, &attr);
}

ibv_qp* FakeKernel::create_qp(ibv_cq* cq) {
    ibv_qp_init_attr attr{};
    attr.qp_type = IBV_QPT_RC;
    attr.cap = {.max_send_wr = 4,
                .max_recv_wr = 4,
                .max_send_sge = 2,
                .max_recv_sge = 2,
                .max_inline_data = 32};
    ibv_qp* qp = create_qp(cq, attr);
    if (qp) qp->state = IBV_QPS_RTS;
    return qp;
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

const vrnic_cq_dbrec& FakeKernel::record(const ibv_cq* cq) const {
    const auto& req = cqs_.at(cq->handle);
    return *reinterpret_cast<const vrnic_cq_dbrec*>(memory(req.buf_va, req.dbrec_offset));
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

int glue_cmd_create_cq(ibv_context* context, int, ibv_comp_channel*, int, ibv_cq* cq,
                       const vrnic_ib_create_cq_req* req, vrnic_ib_create_cq_resp* resp) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    cq->context = context;
    cq->handle = resp->cqn = kernel.next_number++;
    kernel.cqs_[cq->handle] = *req;
    return 0;
}
int glue_cmd_destroy_cq(ibv_cq*) {
    return FakeKernel::current().take_error();
}

int glue_cmd_create_qp(ibv_pd* pd, ibv_qp* qp, ibv_qp_init_attr* attr,
                       const vrnic_ib_create_qp_req* req, vrnic_ib_create_qp_resp* resp) {
    FakeKernel& kernel = FakeKernel::current();
    if (int error = kernel.take_error()) return error;
    qp->context = pd->context;
    qp->pd = pd;
    qp->send_cq = attr->send_cq;
    qp->recv_cq = attr->recv_cq;
    qp->qp_num = resp->qpn = kernel.next_number++;
    kernel.qps_[qp->qp_num] = *req;
    return 0;
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
