// SPDX-License-Identifier: GPL-2.0-or-later
// Operations with a second segment or a key: what their entries and completions become.
#include <array>
#include <cerrno>
#include <cstring>

#include "fake_kernel.h"
#include "send_bench.h"
#include "unit/catch.h"
#include "vrnic_admin.h"

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

struct Bench : SendBench {
    ibv_mr mr{};
    ibv_mw mw{};

    Bench() : SendBench(IBV_QPT_RC) {
        mr.lkey = 0x7701;
        mr.pd = kernel.pd();
        mw.pd = kernel.pd();
        mw.type = IBV_MW_TYPE_1;
        mw.rkey = 0x99ff;
    }
    template <typename Segment>
    Segment segment() const {
        Segment out;
        std::memcpy(&out, kernel.send_data(qp, 0), sizeof(out));
        return out;
    }
    ibv_wc_opcode completed() {
        kernel.complete_send(cq, qp, 0);
        const ibv_wc wc = poll();
        CHECK(wc.wr_id == 7);
        CHECK(wc.status == IBV_WC_SUCCESS);
        return wc.opcode;
    }
};

}  // namespace

TEST_CASE("entries of atomics") {
    Bench bench;
    const bool swaps = GENERATE(false, true);
    ibv_send_wr wr = bench.request(swaps ? IBV_WR_ATOMIC_CMP_AND_SWP : IBV_WR_ATOMIC_FETCH_AND_ADD);
    wr.wr.atomic.remote_addr = 0x1122334455667788;
    wr.wr.atomic.rkey = 0xabcdef01;
    wr.wr.atomic.compare_add = 0x1111;
    wr.wr.atomic.swap = 0x2222;
    REQUIRE(bench.post(wr) == 0);
    const vrnic_sqe& sqe = bench.kernel.send_entry(bench.qp, 0);
    CHECK(sqe.opcode == (swaps ? VRNIC_OP_COMPARE_SWAP : VRNIC_OP_FETCH_ADD));
    CHECK(sqe.remote_addr == 0x1122334455667788);
    CHECK(sqe.rkey == 0xabcdef01);
    CHECK(sqe.num_sge == 1);
    const auto segment = bench.segment<vrnic_sqe_atomic>();
    CHECK(segment.swap_or_add == (swaps ? 0x2222u : 0x1111u));
    CHECK(segment.compare == (swaps ? 0x1111u : 0u));
    vrnic_sge list;
    std::memcpy(&list, bench.kernel.send_data(bench.qp, 0) + 16, sizeof(list));
    CHECK(list.addr == 0x5000);
    CHECK(list.length == 8);
    CHECK(list.lkey == 0x1234);
    CHECK(bench.completed() == (swaps ? IBV_WC_COMP_SWAP : IBV_WC_FETCH_ADD));

    wr.send_flags = IBV_SEND_INLINE;
    CHECK(bench.post(wr) == EINVAL);
    wr.send_flags = 0;
    wr.num_sge = 2;  // 64 bytes hold one
    CHECK(bench.post(wr) == EINVAL);
}

TEST_CASE("entries that name a key to invalidate") {
    Bench bench;
    const bool sends = GENERATE(false, true);
    ibv_send_wr wr = bench.request(sends ? IBV_WR_SEND_WITH_INV : IBV_WR_LOCAL_INV);
    wr.invalidate_rkey = 0x01020304;
    REQUIRE(bench.post(wr) == 0);
    const vrnic_sqe& sqe = bench.kernel.send_entry(bench.qp, 0);
    CHECK(sqe.opcode == (sends ? VRNIC_OP_SEND_INV : VRNIC_OP_LOCAL_INV));
    CHECK(sqe.imm == 0x01020304);
    CHECK(sqe.num_sge == (sends ? 1 : 0));
    CHECK(bench.completed() == (sends ? IBV_WC_SEND : IBV_WC_LOCAL_INV));
}

TEST_CASE("the entry of an ATOMIC WRITE") {
    Bench bench;
    ibv_send_wr wr = bench.request(IBV_WR_ATOMIC_WRITE);
    wr.wr.rdma.remote_addr = 0x8000;
    wr.wr.rdma.rkey = 5;
    REQUIRE(bench.post(wr) == 0);
    const vrnic_sqe& sqe = bench.kernel.send_entry(bench.qp, 0);
    CHECK(sqe.opcode == VRNIC_OP_ATOMIC_WRITE);
    CHECK(sqe.remote_addr == 0x8000);
    CHECK(sqe.num_sge == 1);
    CHECK(bench.completed() == IBV_WC_ATOMIC_WRITE);
}

TEST_CASE("operations that ibv_post_send does not have") {
    Bench bench;
    for (const ibv_wr_opcode opcode : {IBV_WR_TSO, IBV_WR_DRIVER1, IBV_WR_FLUSH}) {
        CAPTURE(int(opcode));
        CHECK(bench.post(bench.request(opcode)) == EINVAL);
    }
}

TEST_CASE("a window of type 1 is bound by a call") {
    Bench bench;
    ibv_mw_bind bind{};
    bind.wr_id = 7;
    bind.send_flags = IBV_SEND_SIGNALED;
    bind.bind_info = {&bench.mr, 0x6000, 100, IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_LOCAL_WRITE};
    REQUIRE(vrnic_bind_mw(bench.qp, &bench.mw, &bind) == 0);
    CHECK(bench.mw.rkey == 0x9900);  // the key byte wraps, the index stays
    const vrnic_sqe& sqe = bench.kernel.send_entry(bench.qp, 0);
    CHECK(sqe.opcode == VRNIC_OP_BIND_MW);
    CHECK(sqe.rkey == 0x9900);
    CHECK(sqe.remote_addr == 0x6000);
    CHECK(sqe.num_sge == 0);
    const auto segment = bench.segment<vrnic_sqe_bind>();
    CHECK(segment.length == 100);
    CHECK(segment.mr_key == 0x7701);
    CHECK(segment.access == VRNIC_ACCESS_REMOTE_WRITE);
    CHECK(bench.completed() == IBV_WC_BIND_MW);
}

TEST_CASE("calls to bind that are refused leave the window's key") {
    Bench bench;
    ibv_mw_bind bind{};
    bind.bind_info = {&bench.mr, 0x6000, 100, IBV_ACCESS_REMOTE_WRITE};
    int expected = EINVAL;
    ibv_pd other = *bench.kernel.pd();
    SECTION("type 2") {
        bench.mw.type = IBV_MW_TYPE_2;
    }
    SECTION("bytes of no region") {
        bind.bind_info.mr = nullptr;
    }
    SECTION("zero-based") {
        bind.bind_info.mw_access_flags |= IBV_ACCESS_ZERO_BASED;
    }
    SECTION("another domain's region") {
        ++other.handle;
        bench.mr.pd = &other;
        expected = EPERM;
    }
    SECTION("the queue pair takes none") {
        bench.qp->state = IBV_QPS_INIT;
    }
    CHECK(vrnic_bind_mw(bench.qp, &bench.mw, &bind) == expected);
    CHECK(bench.mw.rkey == 0x99ff);
    CHECK(bench.kernel.record(bench.qp).sq_pi == 0);
}

TEST_CASE("a receive tells which key the peer has invalidated") {
    Bench bench;
    ibv_recv_wr wr{};
    wr.wr_id = 9;
    ibv_recv_wr* bad = nullptr;
    REQUIRE(vrnic_post_recv(bench.qp, &wr, &bad) == 0);
    vrnic_cqe cqe{};
    cqe.qpn = bench.qp->qp_num;
    cqe.opcode = VRNIC_OP_RECV_INV;
    cqe.flags = VRNIC_CQE_INV;
    cqe.imm = 0x01020304;
    bench.kernel.complete(bench.cq, cqe);
    ibv_wc wc{};
    REQUIRE(vrnic_poll_cq(bench.cq, 1, &wc) == 1);
    CHECK(wc.opcode == IBV_WC_RECV);
    CHECK(wc.wc_flags == IBV_WC_WITH_INV);
    CHECK(wc.invalidated_rkey == 0x01020304);
}
