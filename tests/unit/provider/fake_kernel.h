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
    ibv_pd* pd() { return &pd_; }

    ibv_cq* create_cq(int entries);
    // A QP with both queues on `cq`; nullptr and errno.
    ibv_qp* create_qp(ibv_cq* cq, ibv_qp_init_attr& attr);
    ibv_qp* create_qp(ibv_cq* cq);  // 4 entries of 2 SGEs in each queue, in RTS
    // As ibv_modify_qp(3) does it.
    int move_to(ibv_qp* qp, ibv_qp_state state);

    // The doorbell's last value; forgets it. 0: it was not rung (or with an SQ doorbell of QP 0).
    uint64_t take_doorbell();

    // ---- the device's view ----
    const vrnic_ib_create_qp_req& request_of(const ibv_qp* qp) const { return qps_.at(qp->qp_num); }
    const vrnic_sqe& send_entry(const ibv_qp* qp, uint32_t index) const;
    const std::byte* send_data(const ibv_qp* qp, uint32_t index) const;
    const vrnic_rqe& receive_entry(const ibv_qp* qp, uint32_t index) const;
    const vrnic_qp_dbrec& record(const ibv_qp* qp) const;
    const vrnic_cq_dbrec& record(const ibv_cq* cq) const;
    // Writes the next completion, all but its seq as given.
    void complete(ibv_cq* cq, vrnic_cqe completion);
    void complete_send(ibv_cq* cq, const ibv_qp* qp, uint32_t index, uint8_t status = 0);
    void complete_receive(ibv_cq* cq, const ibv_qp* qp, uint32_t index, uint8_t status = 0);

    // ---- used by the fakes of verbs_glue.h ----
    vrnic_ib_alloc_ucontext_resp limits{};
    std::map<uint32_t, vrnic_ib_create_cq_req> cqs_;
    std::map<uint32_t, vrnic_ib_create_qp_req> qps_;
    uint32_t next_number = 5;
    int next_error = 0;  // of the next command

    int take_error() {
        int error = next_error;
        next_error = 0;
        return error;
    }

  private:
    std::map<const ibv_cq*, uint64_t> produced_;
    int doorbell_fd_ = -1;
    volatile uint64_t* doorbell_ = nullptr;
    ibv_context* context_ = nullptr;
    ibv_pd pd_{};
};

}  // namespace vrnic::provider_test
