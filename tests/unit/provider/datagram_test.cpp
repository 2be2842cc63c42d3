// SPDX-License-Identifier: GPL-2.0-or-later
// QP types other than RC: what their entries look like, which operations they have.
#include <array>
#include <cerrno>
#include <cstring>

#include "fake_kernel.h"
#include "qp.h"
#include "send_bench.h"
#include "unit/catch.h"
#include "vrnic_admin.h"

using namespace vrnic;
using namespace vrnic::provider_test;

TEST_CASE("a datagram carries the address vector, then its list") {
    SendBench bench(IBV_QPT_UD);
    ibv_ah* ah = bench.kernel.create_ah(0x42);
    REQUIRE(ah);
    ibv_send_wr wr = bench.request(IBV_WR_SEND_WITH_IMM);
    wr.imm_data = 0x04030201;
    wr.wr.ud.ah = ah;
    wr.wr.ud.remote_qpn = 0xffffff;
    wr.wr.ud.remote_qkey = 0x81234567;
    REQUIRE(bench.post(wr) == 0);
    CHECK(vrnic_destroy_ah(ah) == 0);  // the entry has it

    const vrnic_sqe& sqe = bench.kernel.send_entry(bench.qp, 0);
    CHECK(sqe.opcode == VRNIC_OP_SEND_IMM);
    CHECK(sqe.imm.raw == 0x04030201);
    CHECK(sqe.num_sge == 1);
    CHECK(sqe.rkey == 0);
    CHECK(sqe.remote_addr == 0);
    CHECK(sqe.xrc_srqn == 0);
    const auto& segment = bench.kernel.segment<vrnic_sqe_datagram>(bench.qp, 0);
    CHECK(segment.av.dgid[15] == 0x42);
    CHECK(segment.av.dmac[0] == 0x42);
    CHECK(segment.qpn == 0xffffff);
    CHECK(segment.qkey == 0x81234567);
    CHECK(segment.reserved == 0);
    vrnic_sge list;
    std::memcpy(&list, reinterpret_cast<const std::byte*>(&sqe) + VRNIC_SQE_DATAGRAM_DATA_OFFSET,
                sizeof(list));
    CHECK(list.addr == 0x5000);
    CHECK(list.length == 8);
    CHECK(list.lkey == 0x1234);

    bench.kernel.complete_send(bench.cq, bench.qp, 0);
    CHECK(bench.poll().opcode == IBV_WC_SEND);
}

TEST_CASE("datagrams: what is refused") {
    SendBench bench(IBV_QPT_UD);
    ibv_ah* ah = bench.kernel.create_ah(1);
    ibv_send_wr wr = bench.request(IBV_WR_SEND);
    CHECK(bench.post(wr) == EINVAL);  // no address handle
    wr.wr.ud.ah = ah;
    for (const ibv_wr_opcode opcode :
         {IBV_WR_RDMA_WRITE, IBV_WR_RDMA_READ, IBV_WR_ATOMIC_FETCH_AND_ADD, IBV_WR_SEND_WITH_INV,
          IBV_WR_LOCAL_INV, IBV_WR_BIND_MW, IBV_WR_ATOMIC_WRITE, IBV_WR_TSO}) {
        CAPTURE(int(opcode));
        wr.opcode = opcode;
        CHECK(bench.post(wr) == EINVAL);
    }
    std::array<ibv_sge, 4> list{};
    wr = bench.request(IBV_WR_SEND);
    wr.wr.ud.ah = ah;
    wr.sg_list = list.data();
    wr.num_sge = 4;  // 128 bytes hold three
    CHECK(bench.post(wr) == EINVAL);
    wr.num_sge = 3;
    CHECK(bench.post(wr) == 0);
    CHECK(vrnic_destroy_ah(ah) == 0);
}

TEST_CASE("the entries of a datagram queue hold what was asked for behind the address") {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_qp_init_attr attr{};
    attr.qp_type = IBV_QPT_UD;
    attr.cap = {.max_send_wr = 1,
                .max_recv_wr = 1,
                .max_send_sge = 1,
                .max_recv_sge = 1,
                .max_inline_data = GENERATE(0u, 48u, 49u, 256u)};
    const uint32_t asked = attr.cap.max_inline_data;
    ibv_qp* qp = kernel.create_qp(cq, attr);
    REQUIRE(qp);
    const uint32_t stride = 1u << kernel.request_of(qp).sq_log_stride;
    CHECK(attr.cap.max_inline_data >= asked);
    CHECK(attr.cap.max_inline_data <= stride - VRNIC_SQE_DATAGRAM_DATA_OFFSET);
    CHECK(stride == (asked <= 48 ? 128u : asked <= 176 ? 256u : 512u));

    qp->state = IBV_QPS_RTS;
    ibv_ah* ah = kernel.create_ah(1);
    std::array<uint8_t, 256> data{};
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i + 1);
    ibv_sge sge{reinterpret_cast<uint64_t>(data.data()), attr.cap.max_inline_data, 0};
    ibv_send_wr wr{}, *bad = nullptr;
    wr.opcode = IBV_WR_SEND;
    wr.send_flags = IBV_SEND_INLINE;
    wr.sg_list = &sge;
    wr.num_sge = 1;
    wr.wr.ud.ah = ah;
    REQUIRE(vrnic_post_send(qp, &wr, &bad) == 0);
    const auto& sqe = kernel.send_entry(qp, 0);
    CHECK(sqe.inline_length == attr.cap.max_inline_data);
    CHECK(sqe.flags == VRNIC_SQE_INLINE);
    CHECK(std::memcmp(reinterpret_cast<const std::byte*>(&sqe) + VRNIC_SQE_DATAGRAM_DATA_OFFSET,
                      data.data(), sge.length) == 0);
    ++sge.length;
    CHECK(vrnic_post_send(qp, &wr, &bad) == EINVAL);
    CHECK(vrnic_destroy_ah(ah) == 0);
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
}

TEST_CASE("a received datagram tells of its sender") {
    SendBench bench(IBV_QPT_UD);
    ibv_recv_wr wr{}, *bad = nullptr;
    wr.wr_id = 99;
    REQUIRE(vrnic_post_recv(bench.qp, &wr, &bad) == 0);
    vrnic_cqe cqe{};
    cqe.qpn = bench.qp->qp_num;
    cqe.src_qpn = 0x123456;
    cqe.opcode = VRNIC_OP_RECV;
    cqe.flags = VRNIC_CQE_GRH;
    cqe.byte_len = 140;
    cqe.sl = 5;
    cqe.pkey_index = 3;
    bench.kernel.complete(bench.cq, cqe);
    const ibv_wc wc = bench.poll();
    CHECK(wc.wr_id == 99);
    CHECK(wc.opcode == IBV_WC_RECV);
    CHECK(wc.wc_flags == IBV_WC_GRH);
    CHECK(wc.src_qp == 0x123456);
    CHECK(wc.byte_len == 140);
    CHECK(wc.sl == 5);
    CHECK(wc.pkey_index == 3);
    CHECK(wc.slid == 0);
    CHECK(wc.dlid_path_bits == 0);
}

TEST_CASE("an address handle that the kernel refuses") {
    FakeKernel kernel;
    kernel.next_error = ENETUNREACH;
    CHECK(kernel.create_ah(1) == nullptr);
    CHECK(errno == ENETUNREACH);
    ibv_ah* ah = kernel.create_ah(1);
    kernel.next_error = EBUSY;
    CHECK(vrnic_destroy_ah(ah) == EBUSY);
    CHECK(vrnic_destroy_ah(ah) == 0);
}

TEST_CASE("which operations each type has") {
    struct Row {
        ibv_wr_opcode opcode;
        bool rc, uc, xrc;
    };
    const Row rows[] = {
        {IBV_WR_SEND, true, true, true},
        {IBV_WR_SEND_WITH_IMM, true, true, true},
        {IBV_WR_SEND_WITH_INV, true, false, true},
        {IBV_WR_RDMA_WRITE, true, true, true},
        {IBV_WR_RDMA_WRITE_WITH_IMM, true, true, true},
        {IBV_WR_RDMA_READ, true, false, true},
        {IBV_WR_ATOMIC_CMP_AND_SWP, true, false, true},
        {IBV_WR_ATOMIC_FETCH_AND_ADD, true, false, true},
        {IBV_WR_ATOMIC_WRITE, true, false, true},
        {IBV_WR_BIND_MW, true, true, true},
        {IBV_WR_LOCAL_INV, true, false, true},
    };
    SendBench bench(GENERATE(IBV_QPT_RC, IBV_QPT_UC, IBV_QPT_XRC_SEND));
    const ibv_qp_type type = bench.kernel.last_qp_attr.qp_type;
    for (const Row& row : rows) {
        CAPTURE(int(type), int(row.opcode));
        const bool offered = type == IBV_QPT_RC ? row.rc : type == IBV_QPT_UC ? row.uc : row.xrc;
        CHECK(bench.post(bench.request(row.opcode)) == (offered ? 0 : EINVAL));
    }
}

TEST_CASE("XRC names the peer's shared receive queue, and has no receives of its own") {
    SendBench bench(IBV_QPT_XRC_SEND);
    CHECK(bench.kernel.request_of(bench.qp).rq_log_size == VRNIC_NO_QUEUE);
    CHECK(bench.kernel.last_qp_attr.cap.max_recv_wr == 0);
    ibv_send_wr wr = bench.request(IBV_WR_RDMA_WRITE_WITH_IMM);
    wr.wr.rdma.remote_addr = 0x8000;
    wr.wr.rdma.rkey = 5;
    wr.qp_type.xrc.remote_srqn = 0x1234;
    REQUIRE(bench.post(wr) == 0);
    CHECK(bench.kernel.send_entry(bench.qp, 0).xrc_srqn == 0x1234);
    CHECK(bench.kernel.send_entry(bench.qp, 0).rkey == 5);
    ibv_recv_wr receive{}, *bad = nullptr;
    CHECK(vrnic_post_recv(bench.qp, &receive, &bad) != 0);
}

TEST_CASE("a QP that receives for XRC is the kernel's: made, opened, in error, destroyed") {
    FakeKernel kernel;
    ibv_qp_init_attr_ex attr{};
    attr.qp_type = IBV_QPT_XRC_RECV;
    attr.comp_mask = IBV_QP_INIT_ATTR_XRCD;
    ibv_qp* made = vrnic_create_qp_ex(kernel.context(), &attr);
    REQUIRE(made);
    CHECK(kernel.qps_.empty());  // no request of ours
    ibv_qp_open_attr open{};
    open.qp_num = made->qp_num;
    ibv_qp* opened = vrnic_open_qp(kernel.context(), &open);
    REQUIRE(opened);
    CHECK(opened->qp_num == made->qp_num);
    kernel.next_error = EPERM;
    CHECK(vrnic_open_qp(kernel.context(), &open) == nullptr);
    CHECK(errno == EPERM);
    for (ibv_qp* qp : {made, opened}) {
        ibv_async_event event{};
        event.event_type = IBV_EVENT_QP_FATAL;
        event.element.qp = qp;
        vrnic_async_event(kernel.context(), &event);
        CHECK(kernel.move_to(qp, IBV_QPS_ERR) == 0);
        CHECK(kernel.take_doorbell() == 0);  // nobody here has receives to announce
        CHECK(kernel.move_to(qp, IBV_QPS_RESET) == 0);
        ibv_send_wr wr{}, *bad = nullptr;
        qp->state = IBV_QPS_RTS;
        CHECK(vrnic_post_send(qp, &wr, &bad) != 0);
        CHECK(vrnic_destroy_qp(qp) == 0);
    }
}

TEST_CASE("a failed send leads UD and UC to SQE: their receives go on unannounced") {
    const ibv_qp_type type = GENERATE(IBV_QPT_UD, IBV_QPT_UC, IBV_QPT_RC);
    CAPTURE(int(type));
    SendBench bench(type);
    const uint64_t ring_rq = uint64_t{VRNIC_DB_TYPE_RQ} << VRNIC_DB_TYPE_SHIFT | bench.qp->qp_num;
    bench.kernel.complete_send(bench.cq, bench.qp, 0, VRNIC_WC_LOC_PROT_ERR);
    CHECK(bench.poll().status == IBV_WC_LOC_PROT_ERR);
    CHECK(bench.kernel.take_doorbell() == (type == IBV_QPT_RC ? ring_rq : 0));
    bench.kernel.complete_receive(bench.cq, bench.qp, 0, VRNIC_WC_WR_FLUSH_ERR);
    CHECK(bench.poll().status == IBV_WC_WR_FLUSH_ERR);
    CHECK(bench.kernel.take_doorbell() == (type == IBV_QPT_RC ? 0 : ring_rq));
}

TEST_CASE("attributes of a QP that are not offered") {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_qp_init_attr_ex attr{};
    attr.qp_type = IBV_QPT_UD;
    attr.send_cq = attr.recv_cq = cq;
    attr.pd = kernel.pd();
    attr.comp_mask = IBV_QP_INIT_ATTR_PD;
    attr.cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1};
    int expected = EOPNOTSUPP;
    SECTION("an indirection table") {
        attr.comp_mask |= IBV_QP_INIT_ATTR_IND_TABLE;
    }
    SECTION("segmentation") {
        attr.comp_mask |= IBV_QP_INIT_ATTR_MAX_TSO_HEADER;
    }
    SECTION("a flag") {
        attr.comp_mask |= IBV_QP_INIT_ATTR_CREATE_FLAGS;
        attr.create_flags = IBV_QP_CREATE_SCATTER_FCS;
    }
    SECTION("an operation that the type does not have") {
        attr.comp_mask |= IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
        attr.send_ops_flags = IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_RDMA_WRITE;
    }
    SECTION("no protection domain") {
        attr.comp_mask = 0;
        expected = EINVAL;
    }
    SECTION("no completion queue") {
        attr.recv_cq = nullptr;
        expected = EINVAL;
    }
    CHECK(vrnic_create_qp_ex(kernel.context(), &attr) == nullptr);
    CHECK(errno == expected);

    attr.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS;
    attr.create_flags = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB;
    attr.recv_cq = cq;
    ibv_qp* qp = vrnic_create_qp_ex(kernel.context(), &attr);
    REQUIRE(qp);
    CHECK(kernel.last_qp_attr.create_flags == IBV_QP_CREATE_BLOCK_SELF_MCAST_LB);
    CHECK(attr.cap.max_send_wr == 64);
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
}
