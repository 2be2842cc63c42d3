// SPDX-License-Identifier: GPL-2.0-or-later
// ibv_create_cq_ex: polling one by one, clocks; resizing of any completion queue.
#include <time.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "cq.h"
#include "fake_kernel.h"
#include "unit/catch.h"
#include "vrnic_admin.h"

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

constexpr uint64_t kAll = uint64_t{IBV_WC_STANDARD_FLAGS} | IBV_WC_EX_WITH_COMPLETION_TIMESTAMP |
                          IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK;

struct Bench {
    FakeKernel kernel;
    ibv_cq_ex* cq;
    ibv_qp* qp;

    explicit Bench(uint64_t fields = kAll, uint32_t flags = 0)
        : cq(kernel.create_cq_ex(fields, flags)), qp(cq ? kernel.create_qp(plain()) : nullptr) {
        REQUIRE(qp);
    }
    ~Bench() {
        if (qp) vrnic_destroy_qp(qp);
        vrnic_destroy_cq(plain());
    }
    ibv_cq* plain() { return ibv_cq_ex_to_cq(cq); }
    void post_receive(uint64_t wr_id) {
        ibv_recv_wr wr{}, *bad = nullptr;
        wr.wr_id = wr_id;
        REQUIRE(vrnic_post_recv(qp, &wr, &bad) == 0);
    }
    void post_read(uint64_t wr_id) {
        ibv_send_wr wr{}, *bad = nullptr;
        wr.wr_id = wr_id;
        wr.opcode = IBV_WR_RDMA_READ;
        REQUIRE(vrnic_post_send(qp, &wr, &bad) == 0);
    }
    int start() {
        ibv_poll_cq_attr attr{};
        return ibv_start_poll(cq, &attr);
    }
};

uint64_t wall_now() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

TEST_CASE("every field of a completion, read one by one") {
    Bench bench;
    CHECK(bench.start() == ENOENT);
    CHECK(bench.start() == ENOENT);  // and no lock is held

    bench.post_receive(11);
    bench.post_receive(12);
    bench.post_read(13);
    vrnic_cqe cqe{};
    cqe.qpn = bench.qp->qp_num;
    cqe.src_qpn = 0x77;
    cqe.opcode = VRNIC_OP_RECV_WRITE_IMM;
    cqe.flags = VRNIC_CQE_IMM | VRNIC_CQE_GRH;
    cqe.byte_len = 1000;
    cqe.imm.raw = 0x11223344;
    cqe.sl = 3;
    cqe.timestamp = 0x123456789abc;
    bench.kernel.complete(bench.plain(), cqe);
    cqe = {};
    cqe.qpn = bench.qp->qp_num;
    cqe.opcode = VRNIC_OP_RECV_INV;
    cqe.flags = VRNIC_CQE_INV;
    cqe.imm = 0x01020304;
    cqe.wqe_index = 1;
    bench.kernel.complete(bench.plain(), cqe);
    cqe = {};
    cqe.qpn = bench.qp->qp_num;
    cqe.flags = VRNIC_CQE_SEND_QUEUE;
    cqe.status = VRNIC_WC_REM_ACCESS_ERR;
    cqe.syndrome = VRNIC_SYND_NAK_ACCESS;
    bench.kernel.complete(bench.plain(), cqe);

    REQUIRE(bench.start() == 0);
    CHECK(bench.cq->wr_id == 11);
    CHECK(bench.cq->status == IBV_WC_SUCCESS);
    CHECK(ibv_wc_read_opcode(bench.cq) == IBV_WC_RECV_RDMA_WITH_IMM);
    CHECK(ibv_wc_read_byte_len(bench.cq) == 1000);
    CHECK(ibv_wc_read_imm_data(bench.cq) == 0x11223344);
    CHECK(ibv_wc_read_wc_flags(bench.cq) == (IBV_WC_WITH_IMM | IBV_WC_GRH));
    CHECK(ibv_wc_read_qp_num(bench.cq) == bench.qp->qp_num);
    CHECK(ibv_wc_read_src_qp(bench.cq) == 0x77);
    CHECK(ibv_wc_read_sl(bench.cq) == 3);
    CHECK(ibv_wc_read_slid(bench.cq) == 0);
    CHECK(ibv_wc_read_dlid_path_bits(bench.cq) == 0);
    CHECK(ibv_wc_read_completion_ts(bench.cq) == 0x123456789abc);
    CHECK(bench.kernel.record(bench.plain()).ci == 0);  // its place is not free yet

    REQUIRE(ibv_next_poll(bench.cq) == 0);
    CHECK(bench.cq->wr_id == 12);
    CHECK(ibv_wc_read_opcode(bench.cq) == IBV_WC_RECV);
    CHECK(ibv_wc_read_wc_flags(bench.cq) == IBV_WC_WITH_INV);
    CHECK(ibv_wc_read_invalidated_rkey(bench.cq) == 0x01020304);
    ibv_end_poll(bench.cq);
    CHECK(bench.kernel.record(bench.plain()).ci == 2);

    REQUIRE(bench.start() == 0);
    CHECK(bench.cq->wr_id == 13);
    CHECK(bench.cq->status == IBV_WC_REM_ACCESS_ERR);
    CHECK(ibv_wc_read_opcode(bench.cq) == IBV_WC_RDMA_READ);
    CHECK(ibv_wc_read_vendor_err(bench.cq) == VRNIC_SYND_NAK_ACCESS);
    CHECK(ibv_next_poll(bench.cq) == ENOENT);
    ibv_end_poll(bench.cq);
    CHECK(bench.kernel.record(bench.plain()).ci == 3);
    CHECK(bench.start() == ENOENT);
    ibv_poll_cq_attr attr{};
    attr.comp_mask = 1;
    CHECK(ibv_start_poll(bench.cq, &attr) == EINVAL);
}

TEST_CASE("what was not asked for is not there") {
    Bench bench(IBV_WC_EX_WITH_BYTE_LEN);
    CHECK(bench.cq->read_byte_len != nullptr);
    CHECK(bench.cq->read_imm_data == nullptr);
    CHECK(bench.cq->read_completion_ts == nullptr);
    CHECK(bench.cq->read_completion_wallclock_ns == nullptr);
}

TEST_CASE("discarded completions are passed over when polling one by one") {
    Bench bench;
    ibv_qp* other = bench.kernel.create_qp(bench.plain());
    bench.kernel.complete_send(bench.plain(), other, 0);
    bench.post_read(5);
    bench.kernel.complete_send(bench.plain(), bench.qp, 0);
    bench.kernel.complete_send(bench.plain(), other, 1);
    REQUIRE(vrnic_destroy_qp(other) == 0);
    REQUIRE(bench.start() == 0);
    CHECK(bench.cq->wr_id == 5);
    CHECK(ibv_next_poll(bench.cq) == ENOENT);
    ibv_end_poll(bench.cq);
    CHECK(bench.kernel.record(bench.plain()).ci == 3);
    bench.kernel.complete_send(bench.plain(), bench.qp, 1);
    vrnic_destroy_qp(bench.qp);
    bench.qp = nullptr;
    CHECK(bench.start() == ENOENT);
    CHECK(bench.kernel.record(bench.plain()).ci == 4);
}

TEST_CASE("polling one by one keeps others out, but for a queue of one thread") {
    const bool single = GENERATE(false, true);
    Bench bench(kAll, single ? uint32_t{IBV_CREATE_CQ_ATTR_SINGLE_THREADED} : 0);
    CHECK(Cq::from(bench.cq).lock.single_threaded() == single);
    bench.post_read(1);
    bench.kernel.complete_send(bench.plain(), bench.qp, 0);
    REQUIRE(bench.start() == 0);
    std::atomic<bool> polled{false};
    std::thread other([&] {
        ibv_wc wc;
        (void)vrnic_poll_cq(bench.plain(), 1, &wc);
        polled = true;
    });
    if (single) {
        other.join();
        CHECK(polled);
        ibv_end_poll(bench.cq);
    } else {
        timespec moment{0, 20'000'000};
        nanosleep(&moment, nullptr);
        CHECK_FALSE(polled);
        ibv_end_poll(bench.cq);
        other.join();
        CHECK(polled);
    }
}

TEST_CASE("what an extended queue does not have") {
    FakeKernel kernel;
    CHECK(kernel.create_cq_ex(IBV_WC_EX_WITH_CVLAN) == nullptr);
    CHECK(errno == EOPNOTSUPP);
    CHECK(kernel.create_cq_ex(IBV_WC_EX_WITH_TM_INFO) == nullptr);
    CHECK(errno == EOPNOTSUPP);
    CHECK(kernel.create_cq_ex(0, IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN) == nullptr);
    CHECK(errno == EOPNOTSUPP);
    CHECK(kernel.create_cq_ex(0, 0, kernel.pd()) == nullptr);  // not a parent domain
    CHECK(errno == EINVAL);
    ibv_cq_init_attr_ex attr{};
    attr.cqe = GENERATE(0u, 4097u, ~0u);
    CHECK(vrnic_create_cq_ex(kernel.context(), &attr) == nullptr);
    CHECK(errno == EINVAL);
}

TEST_CASE("the device's clock") {
    FakeKernel kernel;
    kernel.set_clock(0x1122334455);
    ibv_values_ex values{};
    values.comp_mask = IBV_VALUES_MASK_RAW_CLOCK;
    REQUIRE(vrnic_query_rt_values(kernel.context(), &values) == 0);
    CHECK(values.raw_clock.tv_sec == 0);
    CHECK(values.raw_clock.tv_nsec == 0x1122334455);
    values.comp_mask = 2;
    CHECK(vrnic_query_rt_values(kernel.context(), &values) == EINVAL);
    Context::from(kernel.context()).state.clock = DeviceClock();  // a kernel that maps none
    values.comp_mask = IBV_VALUES_MASK_RAW_CLOCK;
    CHECK(vrnic_query_rt_values(kernel.context(), &values) == EOPNOTSUPP);
    CHECK(kernel.create_cq_ex(IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK) == nullptr);
    CHECK(errno == EOPNOTSUPP);
}

TEST_CASE("wall clock times of completions") {
    Bench bench;
    constexpr uint64_t kMs = 1'000'000;
    constexpr uint64_t kDevice = 5'000 * kMs;
    bench.kernel.set_clock(kDevice);
    const auto read = [&](uint64_t device_time) {
        bench.post_receive(0);
        vrnic_cqe cqe{};
        cqe.qpn = bench.qp->qp_num;
        cqe.opcode = VRNIC_OP_RECV;
        cqe.wqe_index = static_cast<uint32_t>(bench.kernel.record(bench.qp).rq_pi) - 1;
        cqe.timestamp = device_time;
        bench.kernel.complete(bench.plain(), cqe);
        REQUIRE(bench.start() == 0);
        const uint64_t wall = ibv_wc_read_completion_wallclock_ns(bench.cq);
        ibv_end_poll(bench.cq);
        return wall;
    };
    const uint64_t before = wall_now();
    const uint64_t now = read(kDevice);
    const uint64_t after = wall_now();
    CHECK(now >= before);
    CHECK(now <= after);
    CHECK(read(kDevice - 2 * kMs) == now - 2 * kMs);
    CHECK(read(kDevice + 5 * kMs) == now + 5 * kMs);
    // Far from the last comparison both are read again: here the device's has gone on alone.
    bench.kernel.set_clock(kDevice + 1000 * kMs);
    const uint64_t later = read(kDevice + 1000 * kMs);
    CHECK(later >= after);
    CHECK(later <= wall_now());
}

TEST_CASE("resizing") {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(4);
    ibv_qp* qp = kernel.create_qp(cq);
    const auto post = [&](uint64_t wr_id) {
        ibv_send_wr wr{}, *bad = nullptr;
        wr.wr_id = wr_id;
        wr.opcode = IBV_WR_SEND;
        REQUIRE(vrnic_post_send(qp, &wr, &bad) == 0);
        kernel.complete_send(cq, qp, static_cast<uint32_t>(wr_id));
    };
    const auto poll = [&] {
        ibv_wc wc{};
        REQUIRE(vrnic_poll_cq(cq, 1, &wc) == 1);
        return wc.wr_id;
    };
    REQUIRE(vrnic_req_notify_cq(cq, 0) == 0);
    for (uint64_t id = 0; id < 3; ++id) post(id);
    CHECK(poll() == 0);
    CHECK(poll() == 1);
    for (uint64_t id = 3; id < 6; ++id) post(id);
    SECTION("larger") {
        REQUIRE(vrnic_resize_cq(cq, 9) == 0);
        CHECK(cq->cqe == 16);
        for (uint64_t id = 6; id < 18; ++id) post(id);
        for (uint64_t id = 2; id < 18; ++id) CHECK(poll() == id);
    }
    SECTION("smaller, when what is there fits") {
        CHECK(poll() == 2);
        CHECK(poll() == 3);
        REQUIRE(vrnic_resize_cq(cq, 2) == 0);
        CHECK(cq->cqe == 2);
        CHECK(poll() == 4);
        CHECK(poll() == 5);
        post(6);
        CHECK(poll() == 6);
    }
    SECTION("too small for what is there: nothing changes") {
        CHECK(vrnic_resize_cq(cq, 2) == EINVAL);
        CHECK(cq->cqe == 4);
        for (uint64_t id = 2; id < 6; ++id) CHECK(poll() == id);
    }
    SECTION("impossible sizes") {
        CHECK(vrnic_resize_cq(cq, 0) == EINVAL);
        CHECK(vrnic_resize_cq(cq, -1) == EINVAL);
        CHECK(vrnic_resize_cq(cq, 4097) == EINVAL);
        for (uint64_t id = 2; id < 6; ++id) CHECK(poll() == id);
    }
    // The record goes on, too.
    CHECK((kernel.record(cq).arm & VRNIC_CQ_ARM_SEQ_MASK) == 1);
    REQUIRE(vrnic_req_notify_cq(cq, 0) == 0);
    CHECK((kernel.record(cq).arm & VRNIC_CQ_ARM_SEQ_MASK) == 2);
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
}
