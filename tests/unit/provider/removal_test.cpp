// SPDX-License-Identifier: GPL-2.0-or-later
// A device that is taken away: what is posted is flushed by the provider.
#include <vector>

#include "fake_kernel.h"
#include "qp.h"
#include "unit/catch.h"

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

void post_write(ibv_qp* qp, uint64_t wr_id) {
    ibv_send_wr wr{}, *bad = nullptr;
    wr.wr_id = wr_id;
    wr.opcode = IBV_WR_RDMA_WRITE;
    REQUIRE(vrnic_post_send(qp, &wr, &bad) == 0);
}

void post_receive(ibv_qp* qp, uint64_t wr_id) {
    ibv_recv_wr wr{}, *bad = nullptr;
    wr.wr_id = wr_id;
    REQUIRE(vrnic_post_recv(qp, &wr, &bad) == 0);
}

// wr_ids, in order.
std::vector<uint64_t> take_flushed(ibv_cq* cq, const ibv_qp* qp) {
    std::vector<uint64_t> found;
    ibv_wc wc;
    while (vrnic_poll_cq(cq, 1, &wc) == 1) {
        CHECK(wc.status == IBV_WC_WR_FLUSH_ERR);
        CHECK(wc.qp_num == qp->qp_num);
        found.push_back(wc.wr_id);
    }
    return found;
}

}  // namespace

TEST_CASE("what a device that is gone leaves is flushed, in order, after what it completed") {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_qp* qp = kernel.create_qp(cq);
    for (uint64_t id : {1, 2, 3}) post_write(qp, id);
    for (uint64_t id : {11, 12}) post_receive(qp, id);
    kernel.complete_send(cq, qp, 0);

    kernel.take_device_away();
    ibv_wc wc;
    REQUIRE(vrnic_poll_cq(cq, 1, &wc) == 1);
    CHECK(wc.wr_id == 1);
    CHECK(wc.status == IBV_WC_SUCCESS);
    // Each queue in its order; which comes first says nothing.
    const auto flushed = take_flushed(cq, qp);
    CHECK((flushed == std::vector<uint64_t>{2, 3, 11, 12} ||
           flushed == std::vector<uint64_t>{11, 12, 2, 3}));
    CHECK(take_flushed(cq, qp).empty());

    SECTION("and what is posted later, too") {
        for (uint64_t id = 20; id < 40; ++id) {  // more than the queue holds at once
            post_write(qp, id);
            CHECK(take_flushed(cq, qp) == std::vector<uint64_t>{id});
        }
    }
    SECTION("nothing of a queue pair that is destroyed") {
        ibv_qp* other = kernel.create_qp(cq);
        post_write(other, 5);
        post_receive(other, 6);
        CHECK(vrnic_destroy_qp(other) == 0);
        CHECK(take_flushed(cq, qp).empty());
    }
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
}

TEST_CASE("the same, polled one by one") {
    FakeKernel kernel;
    ibv_cq_ex* cq = kernel.create_cq_ex(IBV_WC_EX_WITH_QP_NUM);
    ibv_qp* qp = kernel.create_qp(ibv_cq_ex_to_cq(cq));
    for (uint64_t id : {1, 2}) post_write(qp, id);
    ibv_poll_cq_attr attr{};
    CHECK(ibv_start_poll(cq, &attr) == ENOENT);
    kernel.take_device_away();
    REQUIRE(ibv_start_poll(cq, &attr) == 0);
    for (uint64_t id : {1, 2}) {
        CHECK(cq->wr_id == id);
        CHECK(cq->status == IBV_WC_WR_FLUSH_ERR);
        CHECK(ibv_wc_read_opcode(cq) == IBV_WC_RDMA_WRITE);
        CHECK(ibv_wc_read_qp_num(cq) == qp->qp_num);
        CHECK(ibv_next_poll(cq) == (id == 1 ? 0 : ENOENT));
    }
    ibv_end_poll(cq);
    CHECK(ibv_start_poll(cq, &attr) == ENOENT);
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_destroy_cq(ibv_cq_ex_to_cq(cq)) == 0);
}

TEST_CASE("a device that is there flushes for itself") {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_qp* qp = kernel.create_qp(cq);
    post_write(qp, 1);
    CHECK(take_flushed(cq, qp).empty());
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
}
