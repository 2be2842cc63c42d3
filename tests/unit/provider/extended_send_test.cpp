// SPDX-License-Identifier: GPL-2.0-or-later
// ibv_wr_*: each operation gives the entry that ibv_post_send gives, all are posted or none.
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

#include "fake_kernel.h"
#include "qp.h"
#include "send_entry.h"
#include "unit/catch.h"
#include "vrnic_admin.h"

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

struct Bench {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_qp_ex* qp;
    ibv_mr mr{};
    ibv_mw mw{};
    ibv_mw_bind_info bind{};

    explicit Bench(ibv_qp_type type = IBV_QPT_RC, uint64_t operations = 0,
                   bool knows_flush = true) {
        kernel.knows_flush = knows_flush;
        if (operations == 0)
            operations = operations_of(type == IBV_QPT_UD         ? kUd
                                       : type == IBV_QPT_XRC_SEND ? kXrc
                                       : type == IBV_QPT_UC       ? kUc
                                                                  : kRc,
                                       ~uint64_t{0});
        qp = kernel.create_qp_ex(cq, type, operations);
        REQUIRE(qp);
        mr.lkey = 0x7701;
        bind = {&mr, 0x6000, 100, IBV_ACCESS_REMOTE_WRITE};
    }
    ~Bench() {
        vrnic_destroy_qp(&qp->qp_base);
        vrnic_destroy_cq(cq);
    }
    const vrnic_sqe& entry(uint32_t index) const { return kernel.send_entry(&qp->qp_base, index); }
    template <typename T>
    const T& segment(uint32_t index) const {
        return kernel.segment<T>(&qp->qp_base, index);
    }
    uint32_t posted() const { return kernel.record(&qp->qp_base).sq_pi; }
    uint64_t ring_sq() const { return qp->qp_base.qp_num; }
};

// The bytes of an entry that count: header, segment and list, or inline data.
std::vector<std::byte> bytes_of(const vrnic_sqe& sqe) {
    const auto* begin = reinterpret_cast<const std::byte*>(&sqe);
    return {begin, begin + 64};
}

}  // namespace

TEST_CASE("each operation writes the entry that ibv_post_send writes") {
    struct Row {
        const char* what;
        std::function<void(Bench&)> call;
        std::function<void(Bench&, ibv_send_wr&)> request;
        ibv_wc_opcode completion;
    };
    const Row rows[] = {
        {"send", [](Bench& b) { ibv_wr_send(b.qp); },
         [](Bench&, ibv_send_wr& wr) { wr.opcode = IBV_WR_SEND; }, IBV_WC_SEND},
        {"send with immediate", [](Bench& b) { ibv_wr_send_imm(b.qp, 0x11223344); },
         [](Bench&, ibv_send_wr& wr) {
             wr.opcode = IBV_WR_SEND_WITH_IMM;
             wr.imm_data = 0x11223344;
         },
         IBV_WC_SEND},
        {"send with invalidate", [](Bench& b) { ibv_wr_send_inv(b.qp, 0x1234); },
         [](Bench&, ibv_send_wr& wr) {
             wr.opcode = IBV_WR_SEND_WITH_INV;
             wr.invalidate_rkey = 0x1234;
         },
         IBV_WC_SEND},
        {"write", [](Bench& b) { ibv_wr_rdma_write(b.qp, 7, 0x8000); },
         [](Bench&, ibv_send_wr& wr) {
             wr.opcode = IBV_WR_RDMA_WRITE;
             wr.wr.rdma = {0x8000, 7};
         },
         IBV_WC_RDMA_WRITE},
        {"write with immediate", [](Bench& b) { ibv_wr_rdma_write_imm(b.qp, 7, 0x8000, 0x55); },
         [](Bench&, ibv_send_wr& wr) {
             wr.opcode = IBV_WR_RDMA_WRITE_WITH_IMM;
             wr.wr.rdma = {0x8000, 7};
             wr.imm_data = 0x55;
         },
         IBV_WC_RDMA_WRITE},
        {"read", [](Bench& b) { ibv_wr_rdma_read(b.qp, 7, 0x8000); },
         [](Bench&, ibv_send_wr& wr) {
             wr.opcode = IBV_WR_RDMA_READ;
             wr.wr.rdma = {0x8000, 7};
         },
         IBV_WC_RDMA_READ},
        {"compare and swap", [](Bench& b) { ibv_wr_atomic_cmp_swp(b.qp, 7, 0x8000, 1, 2); },
         [](Bench&, ibv_send_wr& wr) {
             wr.opcode = IBV_WR_ATOMIC_CMP_AND_SWP;
             wr.wr.atomic = {0x8000, 1, 2, 7};
         },
         IBV_WC_COMP_SWAP},
        {"fetch and add", [](Bench& b) { ibv_wr_atomic_fetch_add(b.qp, 7, 0x8000, 3); },
         [](Bench&, ibv_send_wr& wr) {
             wr.opcode = IBV_WR_ATOMIC_FETCH_AND_ADD;
             wr.wr.atomic = {0x8000, 3, 0, 7};
         },
         IBV_WC_FETCH_ADD},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Bench bench;
        bench.qp->wr_id = 7;
        bench.qp->wr_flags = IBV_SEND_SIGNALED | IBV_SEND_FENCE | IBV_SEND_SOLICITED;
        ibv_wr_start(bench.qp);
        row.call(bench);
        ibv_wr_set_sge(bench.qp, 0x1234, 0x5000, 8);
        CHECK(bench.posted() == 0);
        REQUIRE(ibv_wr_complete(bench.qp) == 0);
        CHECK(bench.posted() == 1);
        CHECK(bench.kernel.take_doorbell() == bench.ring_sq());

        ibv_sge sge{0x5000, 8, 0x1234};
        ibv_send_wr wr{}, *bad = nullptr;
        wr.wr_id = 7;
        wr.sg_list = &sge;
        wr.num_sge = 1;
        wr.send_flags = IBV_SEND_SIGNALED | IBV_SEND_FENCE | IBV_SEND_SOLICITED;
        row.request(bench, wr);
        REQUIRE(vrnic_post_send(&bench.qp->qp_base, &wr, &bad) == 0);
        CHECK(bytes_of(bench.entry(0)) == bytes_of(bench.entry(1)));

        bench.kernel.complete_send(bench.cq, &bench.qp->qp_base, 0);
        ibv_wc wc{};
        REQUIRE(vrnic_poll_cq(bench.cq, 1, &wc) == 1);
        CHECK(wc.wr_id == 7);
        CHECK(wc.opcode == row.completion);
    }
}

TEST_CASE("operations without a list") {
    Bench bench;
    ibv_wr_start(bench.qp);
    ibv_wr_local_inv(bench.qp, 0x4321);
    ibv_wr_bind_mw(bench.qp, &bench.mw, 0x9900, &bench.bind);
    ibv_wr_flush(bench.qp, 7, 0x8000, 4096, IBV_FLUSH_GLOBAL, IBV_FLUSH_MR);
    const uint64_t value = 0x1122334455667788;
    ibv_wr_atomic_write(bench.qp, 7, 0x8008, &value);
    REQUIRE(ibv_wr_complete(bench.qp) == 0);
    CHECK(bench.posted() == 4);
    CHECK(bench.entry(0).opcode == VRNIC_OP_LOCAL_INV);
    CHECK(bench.entry(0).imm == 0x4321);
    CHECK(bench.entry(1).opcode == VRNIC_OP_BIND_MW);
    CHECK(bench.entry(1).rkey == 0x9900);
    CHECK(bench.entry(1).remote_addr == 0x6000);
    CHECK(bench.segment<vrnic_sqe_bind>(1).length == 100);
    CHECK(bench.segment<vrnic_sqe_bind>(1).mr_key == 0x7701);
    CHECK(bench.segment<vrnic_sqe_bind>(1).access == VRNIC_ACCESS_REMOTE_WRITE);
    CHECK(bench.entry(2).opcode == VRNIC_OP_FLUSH);
    CHECK(bench.entry(2).rkey == 7);
    CHECK(bench.entry(2).remote_addr == 0x8000);
    CHECK(bench.segment<vrnic_sqe_flush>(2).length == 4096);
    CHECK(int(bench.segment<vrnic_sqe_flush>(2).placement) == VRNIC_FLUSH_GLOBAL);
    CHECK(int(bench.segment<vrnic_sqe_flush>(2).level) == VRNIC_FLUSH_MR);
    CHECK(bench.entry(3).opcode == VRNIC_OP_ATOMIC_WRITE);
    CHECK(bench.entry(3).flags == VRNIC_SQE_INLINE);
    CHECK(bench.entry(3).inline_length == 8);
    CHECK(std::memcmp(bench.kernel.send_data(&bench.qp->qp_base, 3), &value, 8) == 0);

    const ibv_wc_opcode expected[] = {IBV_WC_LOCAL_INV, IBV_WC_BIND_MW, IBV_WC_FLUSH,
                                      IBV_WC_ATOMIC_WRITE};
    for (uint32_t i = 0; i < 4; ++i) {
        bench.kernel.complete_send(bench.cq, &bench.qp->qp_base, i);
        ibv_wc wc{};
        REQUIRE(vrnic_poll_cq(bench.cq, 1, &wc) == 1);
        CHECK(wc.opcode == expected[i]);
    }
}

TEST_CASE("lists and inline data of several pieces") {
    Bench bench;
    const std::array<ibv_sge, 2> list{{{0x5000, 8, 1}, {0x6000, 16, 2}}};
    char first[] = "inline", second[] = "..data";
    const std::array<ibv_data_buf, 2> pieces{{{first, 6}, {second + 2, 4}}};
    ibv_wr_start(bench.qp);
    bench.qp->wr_flags = 0;
    ibv_wr_send(bench.qp);
    ibv_wr_set_sge_list(bench.qp, list.size(), list.data());
    ibv_wr_rdma_write(bench.qp, 7, 0x8000);
    ibv_wr_set_inline_data_list(bench.qp, pieces.size(), pieces.data());
    ibv_wr_send(bench.qp);
    ibv_wr_set_inline_data(bench.qp, first, 3);
    ibv_wr_send(bench.qp);  // no bytes at all
    REQUIRE(ibv_wr_complete(bench.qp) == 0);
    CHECK(bench.entry(0).num_sge == 2);
    CHECK(bench.entry(0).flags == 0);
    CHECK(bench.entry(0).sge[1].addr == 0x6000);
    CHECK(bench.entry(0).sge[1].length == 16);
    CHECK(bench.entry(0).sge[1].lkey == 2);
    CHECK(bench.entry(1).num_sge == 0);
    CHECK(bench.entry(1).inline_length == 10);
    CHECK(std::memcmp(bench.kernel.send_data(&bench.qp->qp_base, 1), "inlinedata", 10) == 0);
    CHECK(bench.entry(2).inline_length == 3);
    CHECK(bench.entry(3).num_sge == 0);
    CHECK(bench.entry(3).flags == 0);
}

TEST_CASE("datagrams and XRC by call") {
    Bench bench(GENERATE(IBV_QPT_UD, IBV_QPT_XRC_SEND));
    const bool datagram = bench.kernel.last_qp_attr.qp_type == IBV_QPT_UD;
    ibv_ah* ah = bench.kernel.create_ah(0x33);
    const auto aim = [&] {
        if (datagram)
            ibv_wr_set_ud_addr(bench.qp, ah, 0x77, 0x88);
        else
            ibv_wr_set_xrc_srqn(bench.qp, 0x99);
    };
    SECTION("the target may come before or after the list") {
        ibv_wr_start(bench.qp);
        ibv_wr_send(bench.qp);
        aim();
        ibv_wr_set_sge(bench.qp, 1, 0x5000, 8);
        ibv_wr_send_imm(bench.qp, 5);
        ibv_wr_set_sge(bench.qp, 1, 0x5000, 8);
        aim();
        REQUIRE(ibv_wr_complete(bench.qp) == 0);
        for (uint32_t i = 0; i < 2; ++i) {
            CHECK(bench.entry(i).num_sge == 1);
            if (datagram) {
                CHECK(bench.segment<vrnic_sqe_datagram>(i).av.dgid[0] == 0x33);
                CHECK(bench.segment<vrnic_sqe_datagram>(i).qpn == 0x77);
                CHECK(bench.segment<vrnic_sqe_datagram>(i).qkey == 0x88);
            } else {
                CHECK(bench.entry(i).xrc_srqn == 0x99);
            }
        }
    }
    SECTION("without one nothing is posted") {
        ibv_wr_start(bench.qp);
        ibv_wr_send(bench.qp);
        aim();
        ibv_wr_send(bench.qp);
        SECTION("of the last request") {}
        SECTION("of one before") {
            ibv_wr_send(bench.qp);
            aim();
        }
        CHECK(ibv_wr_complete(bench.qp) == EINVAL);
        CHECK(bench.posted() == 0);
    }
    SECTION("one of the other kind") {
        ibv_wr_start(bench.qp);
        ibv_wr_send(bench.qp);
        if (datagram)
            ibv_wr_set_xrc_srqn(bench.qp, 1);
        else
            ibv_wr_set_ud_addr(bench.qp, ah, 1, 1);
        CHECK(ibv_wr_complete(bench.qp) == EINVAL);
    }
    SECTION("what is local needs none") {
        if (datagram) return (void)vrnic_destroy_ah(ah);
        ibv_wr_start(bench.qp);
        ibv_wr_local_inv(bench.qp, 1);
        CHECK(ibv_wr_complete(bench.qp) == 0);
    }
    CHECK(vrnic_destroy_ah(ah) == 0);
}

TEST_CASE("a mistake sticks until wr_complete, which posts nothing then") {
    Bench bench(IBV_QPT_RC, IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_RDMA_READ | IBV_QP_EX_WITH_FLUSH);
    const std::array<ibv_sge, 3> list{};
    std::array<char, 64> data{};
    const std::pair<const char*, std::function<void()>> mistakes[] = {
        {"an operation that was not asked for", [&] { ibv_wr_rdma_write(bench.qp, 1, 2); }},
        {"too long a list", [&] { ibv_wr_set_sge_list(bench.qp, list.size(), list.data()); }},
        {"too much inline data", [&] { ibv_wr_set_inline_data(bench.qp, data.data(), 33); }},
        {"inline data without end",
         [&] { ibv_wr_set_inline_data(bench.qp, data.data(), ~size_t{0}); }},
        {"an address", [&] { ibv_wr_set_ud_addr(bench.qp, nullptr, 1, 2); }},
        {"a shared receive queue", [&] { ibv_wr_set_xrc_srqn(bench.qp, 1); }},
        {"inline data of a read",
         [&] {
             ibv_wr_rdma_read(bench.qp, 1, 2);
             ibv_wr_set_inline_data(bench.qp, data.data(), 1);
         }},
        {"a list of a flush",
         [&] {
             ibv_wr_flush(bench.qp, 1, 2, 3, IBV_FLUSH_GLOBAL, IBV_FLUSH_RANGE);
             ibv_wr_set_sge(bench.qp, 1, 2, 3);
         }},
        {"a flush of too much",
         [&] { ibv_wr_flush(bench.qp, 1, 2, size_t{1} << 32, IBV_FLUSH_GLOBAL, IBV_FLUSH_RANGE); }},
    };
    for (const auto& [what, mistake] : mistakes) {
        CAPTURE(what);
        ibv_wr_start(bench.qp);
        ibv_wr_send(bench.qp);
        mistake();
        ibv_wr_send(bench.qp);
        ibv_wr_set_sge(bench.qp, 1, 2, 3);
        CHECK(ibv_wr_complete(bench.qp) == EINVAL);
        CHECK(bench.posted() == 0);
        CHECK(bench.kernel.take_doorbell() == 0);
    }
    SECTION("what belongs to a request before there is one") {
        ibv_wr_start(bench.qp);
        ibv_wr_set_sge(bench.qp, 1, 2, 3);
        CHECK(ibv_wr_complete(bench.qp) == EINVAL);
        ibv_wr_start(bench.qp);
        ibv_wr_set_inline_data(bench.qp, data.data(), 1);
        CHECK(ibv_wr_complete(bench.qp) == EINVAL);
    }
    SECTION("not in a state that takes requests") {
        bench.qp->qp_base.state = IBV_QPS_RTR;
        ibv_wr_start(bench.qp);
        ibv_wr_send(bench.qp);
        CHECK(ibv_wr_complete(bench.qp) == EINVAL);
    }
    // And then all is well again.
    bench.qp->qp_base.state = IBV_QPS_RTS;
    ibv_wr_start(bench.qp);
    ibv_wr_send(bench.qp);
    CHECK(ibv_wr_complete(bench.qp) == 0);
    CHECK(bench.posted() == 1);
}

TEST_CASE("a full queue: ENOMEM, and nothing of the batch is posted") {
    Bench bench;
    const auto post = [&](unsigned count) {
        ibv_wr_start(bench.qp);
        for (unsigned i = 0; i < count; ++i) ibv_wr_send(bench.qp);
        return ibv_wr_complete(bench.qp);
    };
    CHECK(post(65) == ENOMEM);
    CHECK(bench.posted() == 0);
    CHECK(post(64) == 0);
    CHECK(post(1) == ENOMEM);
    bench.kernel.complete_send(bench.cq, &bench.qp->qp_base, 1);
    ibv_wc wc{};
    REQUIRE(vrnic_poll_cq(bench.cq, 1, &wc) == 1);
    CHECK(post(3) == ENOMEM);
    CHECK(post(2) == 0);
    CHECK(bench.posted() == 66);
}

TEST_CASE("a batch that is aborted leaves nothing, an empty one rings nothing") {
    Bench bench;
    ibv_wr_start(bench.qp);
    ibv_wr_send(bench.qp);
    ibv_wr_abort(bench.qp);
    CHECK(bench.posted() == 0);
    CHECK(bench.kernel.take_doorbell() == 0);
    ibv_wr_start(bench.qp);
    CHECK(ibv_wr_complete(bench.qp) == 0);
    CHECK(bench.kernel.take_doorbell() == 0);
    bench.qp->wr_id = 9;
    ibv_wr_start(bench.qp);
    ibv_wr_send(bench.qp);
    CHECK(ibv_wr_complete(bench.qp) == 0);
    bench.kernel.complete_send(bench.cq, &bench.qp->qp_base, 0);
    ibv_wc wc{};
    REQUIRE(vrnic_poll_cq(bench.cq, 1, &wc) == 1);
    CHECK(wc.wr_id == 9);
}

TEST_CASE("a libibverbs before FLUSH has no place for its call") {
    Bench bench(IBV_QPT_RC, 0, GENERATE(false, true));
    CHECK((bench.qp->wr_flush != nullptr) == bench.kernel.knows_flush);
    CHECK(bench.qp->wr_atomic_write != nullptr);
}
