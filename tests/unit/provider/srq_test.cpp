// SPDX-License-Identifier: GPL-2.0-or-later
// Shared receive queues: tags, completions in any order, QPs and queues that end.
#include "srq.h"

#include <array>
#include <cerrno>
#include <set>
#include <vector>

#include "fake_kernel.h"
#include "unit/catch.h"
#include "vrnic_admin.h"

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

struct Bench {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_srq* srq = kernel.create_srq(4);
    ibv_sge sge{0x5000, 8, 0x1234};
    uint32_t posted = 0;
    std::vector<uint32_t> tags;  // by index, as the device reads them when it takes the entries

    ~Bench() {
        if (srq) vrnic_destroy_srq(srq);
        vrnic_destroy_cq(cq);
    }
    int post(uint64_t wr_id, int sges = 1) {
        ibv_recv_wr wr{}, *bad = nullptr;
        wr.wr_id = wr_id;
        wr.sg_list = &sge;
        wr.num_sge = sges;
        const int err = vrnic_post_srq_recv(srq, &wr, &bad);
        if (err == 0) tags.push_back(kernel.receive_entry(srq, posted++).tag);
        CHECK((bad == &wr) == (err != 0));
        return err;
    }
    ibv_wc poll() {
        ibv_wc wc{};
        REQUIRE(vrnic_poll_cq(cq, 1, &wc) == 1);
        return wc;
    }
    bool nothing_to_poll() {
        ibv_wc wc;
        return vrnic_poll_cq(cq, 1, &wc) == 0;
    }
    uint32_t free_tags() { return Srq::from(srq).free_tags; }
};

}  // namespace

TEST_CASE("sizes of a shared receive queue") {
    FakeKernel kernel;
    ibv_srq_init_attr attr{};
    attr.attr.max_wr = 5;
    attr.attr.max_sge = 2;
    ibv_srq* srq = vrnic_create_srq(kernel.pd(), &attr);
    REQUIRE(srq);
    CHECK(attr.attr.max_wr == 8);
    CHECK(attr.attr.max_sge == 3);
    const auto& req = kernel.request_of(srq);
    CHECK(req.log_size == 3);
    CHECK(req.log_stride == 6);
    CHECK(req.dbrec_offset >= 8 * 64);
    CHECK(req.dbrec_offset % 8 == 0);
    uint32_t number = 0;
    CHECK(vrnic_get_srq_num(srq, &number) == EOPNOTSUPP);  // not of XRC
    CHECK(vrnic_destroy_srq(srq) == 0);

    for (const ibv_srq_attr bad :
         {ibv_srq_attr{.max_wr = 0, .max_sge = 1}, ibv_srq_attr{.max_wr = 1025, .max_sge = 1},
          ibv_srq_attr{.max_wr = 1, .max_sge = 17}}) {
        attr.attr = bad;
        CHECK(vrnic_create_srq(kernel.pd(), &attr) == nullptr);
        CHECK(errno == EINVAL);
    }
    ibv_srq_init_attr_ex extended{};
    extended.comp_mask = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD | IBV_SRQ_INIT_ATTR_TM;
    extended.srq_type = IBV_SRQT_TM;
    extended.pd = kernel.pd();
    CHECK(vrnic_create_srq_ex(kernel.context(), &extended) == nullptr);
    CHECK(errno == EOPNOTSUPP);
}

TEST_CASE("entries carry tags; completions in any order find their requests") {
    Bench bench;
    ibv_qp* qp = bench.kernel.create_qp(bench.cq, IBV_QPT_RC, bench.srq);
    REQUIRE(qp);
    CHECK(bench.kernel.request_of(qp).rq_log_size == VRNIC_NO_QUEUE);
    for (uint64_t id = 100; id < 104; ++id) REQUIRE(bench.post(id) == 0);
    CHECK(bench.post(104) == ENOMEM);
    CHECK(bench.kernel.record(bench.srq).pi == 4);
    CHECK(bench.kernel.take_doorbell() == 0);
    std::set<uint32_t> tags;
    for (uint32_t i = 0; i < 4; ++i) {
        const vrnic_rqe& rqe = bench.kernel.receive_entry(bench.srq, i);
        CHECK(rqe.num_sge == 1);
        CHECK(rqe.sge[0].lkey == 0x1234);
        tags.insert(rqe.tag);
    }
    CHECK(tags.size() == 4);

    for (const uint32_t index : {2u, 0u, 3u}) {
        bench.kernel.complete_srq(bench.cq, bench.srq, qp->qp_num, index);
        const ibv_wc wc = bench.poll();
        CHECK(wc.wr_id == 100 + index);
        CHECK(wc.opcode == IBV_WC_RECV);
        CHECK(wc.qp_num == qp->qp_num);
    }
    // Three places are free again, and the one that is not keeps its request.
    for (uint64_t id = 200; id < 203; ++id) REQUIRE(bench.post(id) == 0);
    CHECK(bench.post(203) == ENOMEM);
    bench.kernel.complete_srq(bench.cq, bench.srq, qp->qp_num, 5);
    CHECK(bench.poll().wr_id == 201);
    CHECK(vrnic_destroy_qp(qp) == 0);
}

TEST_CASE("round and round a shared receive queue") {
    Bench bench;
    ibv_qp* qp = bench.kernel.create_qp(bench.cq, IBV_QPT_RC, bench.srq);
    for (uint64_t id = 0; id < 1000; ++id) {
        REQUIRE(bench.post(id) == 0);
        // The order of taking: now and then the newest completes before the one before it.
        if (id % 3 != 2) continue;
        for (const uint64_t back : {0u, 2u, 1u}) {
            bench.kernel.complete_srq(bench.cq, bench.srq, qp->qp_num,
                                      static_cast<uint32_t>(id - back));
            CHECK(bench.poll().wr_id == id - back);
        }
    }
    CHECK(bench.kernel.record(bench.srq).pi == 1000);
    CHECK(vrnic_destroy_qp(qp) == 0);
}

TEST_CASE("receives that are refused take no tag") {
    Bench bench;
    CHECK(bench.post(1, 2) == EINVAL);  // a stride of 32 holds one
    CHECK(bench.post(1, -1) == EINVAL);
    CHECK(bench.free_tags() == 4);
    CHECK(bench.kernel.record(bench.srq).pi == 0);

    std::array<ibv_recv_wr, 3> list{};
    list[0].next = &list[1];
    list[1].next = &list[2];
    list[1].num_sge = 9;
    ibv_recv_wr* bad = nullptr;
    CHECK(vrnic_post_srq_recv(bench.srq, list.data(), &bad) == EINVAL);
    CHECK(bad == &list[1]);
    CHECK(bench.free_tags() == 3);
    CHECK(bench.kernel.record(bench.srq).pi == 1);
}

TEST_CASE("a QP with a shared receive queue takes no receives itself") {
    Bench bench;
    ibv_qp* qp = bench.kernel.create_qp(bench.cq, IBV_QPT_RC, bench.srq);
    ibv_recv_wr wr{}, *bad = nullptr;
    CHECK(vrnic_post_recv(qp, &wr, &bad) == EINVAL);
    CHECK(bad == &wr);
    CHECK(bench.kernel.move_to(qp, IBV_QPS_ERR) == 0);
    CHECK(bench.kernel.take_doorbell() == 0);  // and has none to announce
    CHECK(vrnic_destroy_qp(qp) == 0);
}

TEST_CASE("completions that go with their QP give the tags back") {
    Bench bench;
    ibv_qp* qp = bench.kernel.create_qp(bench.cq, IBV_QPT_RC, bench.srq);
    ibv_qp* other = bench.kernel.create_qp(bench.cq, IBV_QPT_RC, bench.srq);
    for (uint64_t id = 0; id < 4; ++id) REQUIRE(bench.post(id) == 0);
    bench.kernel.complete_srq(bench.cq, bench.srq, qp->qp_num, 0);
    bench.kernel.complete_srq(bench.cq, bench.srq, other->qp_num, 1);
    bench.kernel.complete_srq(bench.cq, bench.srq, qp->qp_num, 2, VRNIC_WC_WR_FLUSH_ERR);
    CHECK(bench.free_tags() == 0);
    SECTION("destroyed") {
        REQUIRE(vrnic_destroy_qp(qp) == 0);
    }
    SECTION("reset") {
        REQUIRE(bench.kernel.move_to(qp, IBV_QPS_RESET) == 0);
        CHECK(bench.free_tags() == 2);
        REQUIRE(vrnic_destroy_qp(qp) == 0);
    }
    CHECK(bench.free_tags() == 2);
    CHECK(bench.poll().wr_id == 1);
    CHECK(bench.nothing_to_poll());
    CHECK(bench.free_tags() == 3);
    CHECK(vrnic_destroy_qp(other) == 0);
}

TEST_CASE("XRC: completions of QPs that are nobody's here") {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_srq* srq = kernel.create_xrc_srq(cq, 4);
    REQUIRE(srq);
    uint32_t number = 0;
    CHECK(vrnic_get_srq_num(srq, &number) == 0);
    CHECK(number == srq->handle);
    for (uint64_t id = 0; id < 3; ++id) {
        ibv_recv_wr wr{}, *bad = nullptr;
        wr.wr_id = id;
        REQUIRE(vrnic_post_srq_recv(srq, &wr, &bad) == 0);
    }
    constexpr uint32_t kForeign = 0xabcdef;
    kernel.complete_srq(cq, srq, kForeign, 1);
    ibv_wc wc{};
    REQUIRE(vrnic_poll_cq(cq, 1, &wc) == 1);
    CHECK(wc.wr_id == 1);
    CHECK(wc.qp_num == kForeign);
    kernel.complete_srq(cq, srq, kForeign, 0, VRNIC_WC_LOC_LEN_ERR);
    REQUIRE(vrnic_poll_cq(cq, 1, &wc) == 1);
    CHECK(wc.status == IBV_WC_LOC_LEN_ERR);
    CHECK(kernel.take_doorbell() == 0);

    // What is left when it ends is not told any more, though the queue lives on.
    kernel.complete_srq(cq, srq, kForeign, 2);
    CHECK(vrnic_destroy_srq(srq) == 0);
    CHECK(vrnic_poll_cq(cq, 1, &wc) == 0);
    CHECK(kernel.record(cq).ci == 3);
    CHECK(vrnic_destroy_cq(cq) == 0);
}

TEST_CASE("resizing a shared receive queue") {
    Bench bench;
    ibv_qp* qp = bench.kernel.create_qp(bench.cq, IBV_QPT_RC, bench.srq);
    for (uint64_t id = 0; id < 4; ++id) REQUIRE(bench.post(id) == 0);
    const auto complete = [&](uint32_t index) {
        vrnic_cqe cqe{};
        cqe.qpn = qp->qp_num;
        cqe.opcode = VRNIC_OP_RECV;
        cqe.srqn = bench.srq->handle;
        cqe.wqe_index = bench.tags.at(index);
        bench.kernel.complete(bench.cq, cqe);
        return bench.poll().wr_id;
    };
    const auto resize = [&](uint32_t entries) {
        ibv_srq_attr attr{};
        attr.max_wr = entries;
        return vrnic_modify_srq(bench.srq, &attr, IBV_SRQ_MAX_WR);
    };
    SECTION("larger") {
        REQUIRE(resize(6) == 0);
        CHECK(bench.kernel.record(bench.srq).pi == 4);
        for (uint64_t id = 4; id < 8; ++id) REQUIRE(bench.post(id) == 0);
        CHECK(bench.post(8) == ENOMEM);
        for (const uint32_t index : {7u, 0u, 3u, 4u, 1u}) CHECK(complete(index) == index);
    }
    SECTION("smaller") {
        CHECK(resize(2) == EINVAL);  // four are in use
        for (const uint32_t index : {1u, 0u}) CHECK(complete(index) == index);
        REQUIRE(resize(2) == 0);
        CHECK(bench.post(4) == ENOMEM);
        CHECK(complete(3) == 3);
        CHECK(bench.post(4) == 0);
        CHECK(bench.post(5) == ENOMEM);
        CHECK(complete(2) == 2);
        CHECK(complete(4) == 4);
        SECTION("and larger again") {
            REQUIRE(resize(4) == 0);
            for (uint64_t id = 5; id < 9; ++id) REQUIRE(bench.post(id) == 0);
            CHECK(bench.post(9) == ENOMEM);
            CHECK(complete(8) == 8);
        }
    }
    SECTION("refused") {
        CHECK(resize(0) == EINVAL);
        CHECK(resize(1025) == EINVAL);
        bench.kernel.next_error = EIO;
        CHECK(resize(8) == EIO);
        CHECK(bench.post(4) == ENOMEM);
        CHECK(complete(0) == 0);
        CHECK(bench.post(4) == 0);
        CHECK(complete(4) == 4);
    }
    SECTION("the limit alone") {
        ibv_srq_attr attr{};
        attr.srq_limit = 2;
        CHECK(vrnic_modify_srq(bench.srq, &attr, IBV_SRQ_LIMIT) == 0);
        bench.kernel.next_error = EINVAL;
        CHECK(vrnic_modify_srq(bench.srq, &attr, IBV_SRQ_LIMIT) == EINVAL);
    }
    CHECK(vrnic_destroy_qp(qp) == 0);
}

TEST_CASE("a shared receive queue that the kernel does not make, or does not destroy") {
    FakeKernel kernel;
    kernel.next_error = ENOSPC;
    CHECK(kernel.create_srq(4) == nullptr);
    CHECK(errno == ENOSPC);
    ibv_srq* srq = kernel.create_srq(4);
    kernel.next_error = EBUSY;
    CHECK(vrnic_destroy_srq(srq) == EBUSY);
    ibv_recv_wr wr{}, *bad = nullptr;
    CHECK(vrnic_post_srq_recv(srq, &wr, &bad) == 0);
    CHECK(vrnic_destroy_srq(srq) == 0);
}
