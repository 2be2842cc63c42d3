// SPDX-License-Identifier: GPL-2.0-or-later
// Stands in for what the provider has below it: libibverbs' kernel commands (verbs_glue.h) and the
// device. The doorbell page is a memfd, queue memory is the provider's own.
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "verbs_glue.h"
#include "vrnic_ring.h"

namespace vrnic::provider_test {

// One open context. Only one at a time: the C functions of verbs_glue.h have nowhere else to go.
class FakeKernel {
  public:
    FakeKernel();
    ~FakeKernel();
    FakeKernel(const FakeKernel&) = delete;
    FakeKernel& operator=(const FakeKernel&) = delete;
    static FakeKernel& current();

    ibv_context* context() { return context_; }
    int cmd_fd() const { return doorbell_fd_; }
    ibv_pd* pd() { return pd_; }

    ibv_cq* create_cq(int entries);
    // Any number of fields; nullptr and errno.
    ibv_cq_ex* create_cq_ex(uint64_t wc_flags, uint32_t flags = 0, ibv_pd* parent_domain = nullptr);
    // A QP with both queues on `cq`; nullptr and errno.
    ibv_qp* create_qp(ibv_cq* cq, ibv_qp_init_attr& attr);
    // 4 entries of 2 SGEs in each queue, in RTS.
    ibv_qp* create_qp(ibv_cq* cq, ibv_qp_type type = IBV_QPT_RC, ibv_srq* srq = nullptr);
    // As that, with ibv_wr_* for the operations.
    ibv_qp_ex* create_qp_ex(ibv_cq* cq, ibv_qp_type type, uint64_t operations);
    ibv_srq* create_srq(uint32_t entries, uint32_t sges = 1);
    ibv_srq* create_xrc_srq(ibv_cq* cq, uint32_t entries);
    ibv_ah* create_ah(uint8_t number);  // its AV's dgid and dmac are full of it
    // As ibv_modify_qp(3) does it.
    int move_to(ibv_qp* qp, ibv_qp_state state);

    // The doorbell's last value; forgets it. 0: it was not rung (or with an SQ doorbell of QP 0).
    uint64_t take_doorbell();

    // ---- the device's view ----
    const vrnic_ib_create_qp_req& request_of(const ibv_qp* qp) const { return qps_.at(qp->qp_num); }
    const vrnic_ib_create_srq_req& request_of(const ibv_srq* srq) const {
        return srqs_.at(srq->handle);
    }
    const vrnic_sqe& send_entry(const ibv_qp* qp, uint32_t index) const;
    const std::byte* send_data(const ibv_qp* qp, uint32_t index) const;
    const vrnic_rqe& receive_entry(const ibv_qp* qp, uint32_t index) const;
    const vrnic_qp_dbrec& record(const ibv_qp* qp) const;
    void set_send_busy(const ibv_qp* qp, bool busy);  // as the device does
    const vrnic_cq_dbrec& record(const ibv_cq* cq) const;
    const vrnic_srq_dbrec& record(const ibv_srq* srq) const;
    const vrnic_rqe& receive_entry(const ibv_srq* srq, uint32_t index) const;
    template <typename T>
    const T& segment(const ibv_qp* qp, uint32_t index) const {
        return *reinterpret_cast<const T*>(send_data(qp, index));
    }
    // Writes the next completion, all but its seq as given.
    void complete(ibv_cq* cq, vrnic_cqe completion);
    void complete_send(ibv_cq* cq, const ibv_qp* qp, uint32_t index, uint8_t status = 0);
    void complete_receive(ibv_cq* cq, const ibv_qp* qp, uint32_t index, uint8_t status = 0);
    // Of the entry that was posted as that index.
    void complete_srq(ibv_cq* cq, const ibv_srq* srq, uint32_t qpn, uint32_t index,
                      uint8_t status = 0);

    void set_clock(uint64_t ns) { *clock_ = ns; }
    void take_device_away() { state_->alive = 0; }

    // ---- used by the fakes of verbs_glue.h ----
    vrnic_ib_alloc_ucontext_resp limits{};
    std::map<uint32_t, vrnic_ib_create_cq_req> cqs_;
    std::map<uint32_t, vrnic_ib_create_qp_req> qps_;
    std::map<uint32_t, vrnic_ib_create_srq_req> srqs_;
    ibv_qp_init_attr_ex last_qp_attr{};
    bool knows_flush = true;  // libibverbs of release 45 or later
    unsigned kernel_pds = 0;
    uint32_t next_number = 5;
    int next_error = 0;  // of the next command

    int take_error() {
        int error = next_error;
        next_error = 0;
        return error;
    }

    std::map<const ibv_cq*, uint64_t> produced_;

  private:
    int doorbell_fd_ = -1;  // and, as a second page, the clock, as a third the device's state
    volatile uint64_t* doorbell_ = nullptr;
    uint64_t* clock_ = nullptr;
    vrnic_ib_state* state_ = nullptr;
    ibv_context* context_ = nullptr;
    ibv_pd* pd_ = nullptr;
};

}  // namespace vrnic::provider_test
