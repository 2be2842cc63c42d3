// SPDX-License-Identifier: GPL-2.0-or-later
// The provider's fast path and queues, on a fake kernel and device.
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "fake_kernel.h"
#include "number_table.h"
#include "qp.h"
#include "ring.h"
#include "unit/catch.h"
#include "vrnic_admin.h"
#include "vrnic_regs.h"

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

uint64_t doorbell(uint32_t type, uint32_t number) {
    return uint64_t{type} << VRNIC_DB_TYPE_SHIFT | number;
}

// A context with one CQ of 16 entries and one QP of 4.
struct Bench {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_qp* qp = kernel.create_qp(cq);
    std::array<std::byte, 64> data{};
    ibv_sge sge{reinterpret_cast<uint64_t>(data.data()), 8, 0x1234};

    ~Bench() {
        if (qp) vrnic_destroy_qp(qp);
        vrnic_destroy_cq(cq);
    }
    ibv_send_wr send(uint64_t wr_id, unsigned flags = 0) {
        ibv_send_wr wr{};
        wr.wr_id = wr_id;
        wr.sg_list = &sge;
        wr.num_sge = 1;
        wr.opcode = IBV_WR_SEND;
        wr.send_flags = flags;
        return wr;
    }
    int post(ibv_send_wr wr) {
        ibv_send_wr* bad = nullptr;
        return vrnic_post_send(qp, &wr, &bad);
    }
    int post_receive(uint64_t wr_id) {
        ibv_recv_wr wr{};
        wr.wr_id = wr_id;
        wr.sg_list = &sge;
        wr.num_sge = 1;
        ibv_recv_wr* bad = nullptr;
        return vrnic_post_recv(qp, &wr, &bad);
    }
    // Expects exactly one completion.
    ibv_wc poll() {
        std::array<ibv_wc, 4> wc{};
        REQUIRE(vrnic_poll_cq(cq, 4, wc.data()) == 1);
        return wc[0];
    }
    bool nothing_to_poll() {
        ibv_wc wc;
        return vrnic_poll_cq(cq, 1, &wc) == 0;
    }
};

}  // namespace

TEST_CASE("log2_ceil") {
    CHECK(log2_ceil(0) == 0);
    CHECK(log2_ceil(1) == 0);
    CHECK(log2_ceil(2) == 1);
    CHECK(log2_ceil(3) == 2);
    CHECK(log2_ceil(1024) == 10);
    CHECK(log2_ceil(1025) == 11);
}

TEST_CASE("posted range across the end of 32 bits") {
    PostedRange range;
    range.set_capacity(4);
    range.retire_through(0xfffffffd);  // two before the wrap
    CHECK(range.has_room_at(0xfffffffe));
    CHECK(range.has_room_at(1));
    CHECK_FALSE(range.has_room_at(2));
    range.retire_through(0xffffffff);
    CHECK(range.has_room_at(3));
    CHECK_FALSE(range.has_room_at(4));
}

TEST_CASE("objects by number") {
    NumberTable<Qp> table;
    auto* one = reinterpret_cast<Qp*>(0x10);
    auto* two = reinterpret_cast<Qp*>(0x20);
    CHECK(table.find(7) == nullptr);
    REQUIRE(table.insert(7, one));
    REQUIRE(table.insert(0xffffff, two));
    CHECK(table.find(7) == one);
    CHECK(table.find(8) == nullptr);
    CHECK(table.find(0xffffff) == two);
    CHECK(table.find(0x1000007) == nullptr);
    CHECK_FALSE(table.insert(0x1000000, one));
    table.erase(7);
    CHECK(table.find(7) == nullptr);
}

TEST_CASE("queue sizes and strides follow what was asked for") {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(5);
    REQUIRE(cq);
    CHECK(cq->cqe == 8);
    ibv_qp_init_attr attr{};
    attr.qp_type = IBV_QPT_RC;
    attr.cap = {.max_send_wr = 5,
                .max_recv_wr = 3,
                .max_send_sge = 1,
                .max_recv_sge = 2,
                .max_inline_data = 100};
    ibv_qp* qp = kernel.create_qp(cq, attr);
    REQUIRE(qp);
    CHECK(attr.cap.max_send_wr == 64);  // never less
    CHECK(attr.cap.max_recv_wr == 4);
    CHECK(attr.cap.max_inline_data == 256 - 32);
    CHECK(attr.cap.max_send_sge == 14);
    CHECK(attr.cap.max_recv_sge == 3);
    const auto& req = kernel.request_of(qp);
    CHECK(req.sq_log_size == 6);
    CHECK(req.sq_log_stride == 8);  // 32 + 100 bytes
    CHECK(req.rq_log_size == 2);
    CHECK(req.rq_log_stride == 6);  // 16 + 2 * 16 bytes
    CHECK(req.buf_va % 4096 == 0);
    CHECK(req.rq_offset >= 64 * 256);
    CHECK(req.dbrec_offset % 64 == 0);
    CHECK(req.dbrec_offset + sizeof(vrnic_qp_dbrec) <= req.buf_len);
    CHECK(vrnic_destroy_qp(qp) == 0);

    SECTION("a queue without entries") {
        attr.cap = {};
        qp = kernel.create_qp(cq, attr);
        REQUIRE(qp);
        CHECK(kernel.request_of(qp).sq_log_size == VRNIC_NO_QUEUE);
        CHECK(kernel.request_of(qp).rq_log_size == VRNIC_NO_QUEUE);
        qp->state = IBV_QPS_RTS;
        ibv_send_wr wr{}, *bad = nullptr;
        CHECK(vrnic_post_send(qp, &wr, &bad) == ENOMEM);
        CHECK(vrnic_destroy_qp(qp) == 0);
    }
    SECTION("beyond the limits") {
        attr.cap = {.max_send_wr = 1025};
        CHECK(kernel.create_qp(cq, attr) == nullptr);
        CHECK(errno == EINVAL);
        attr.cap = {.max_send_wr = 1, .max_inline_data = 257};
        CHECK(kernel.create_qp(cq, attr) == nullptr);
        CHECK(errno == EINVAL);
        CHECK(kernel.create_cq(4097) == nullptr);
        CHECK(errno == EINVAL);
        CHECK(kernel.create_cq(0) == nullptr);
    }
    SECTION("types that are not offered") {
        attr.qp_type = IBV_QPT_RAW_PACKET;
        CHECK(kernel.create_qp(cq, attr) == nullptr);
        CHECK(errno == EOPNOTSUPP);
    }
    SECTION("the kernel refuses") {
        kernel.next_error = EDQUOT;
        CHECK(kernel.create_qp(cq, attr) == nullptr);
        CHECK(errno == EDQUOT);
    }
    CHECK(vrnic_destroy_cq(cq) == 0);
}

TEST_CASE("send entries") {
    Bench bench;
    ibv_send_wr wr = bench.send(1, IBV_SEND_SIGNALED | IBV_SEND_SOLICITED | IBV_SEND_FENCE);
    wr.opcode = IBV_WR_RDMA_WRITE_WITH_IMM;
    wr.imm_data = 0x04030201;
    wr.wr.rdma.remote_addr = 0x1122334455667788;
    wr.wr.rdma.rkey = 0xabcdef01;
    REQUIRE(bench.post(wr) == 0);
    const vrnic_sqe& sqe = bench.kernel.send_entry(bench.qp, 0);
    CHECK(sqe.opcode == VRNIC_OP_WRITE_IMM);
    CHECK(sqe.flags == (VRNIC_SQE_SIGNALED | VRNIC_SQE_SOLICITED | VRNIC_SQE_FENCE));
    CHECK(sqe.num_sge == 1);
    CHECK(std::memcmp(&sqe.imm, &wr.imm_data, 4) == 0);
    CHECK(sqe.rkey == 0xabcdef01);
    CHECK(sqe.remote_addr == 0x1122334455667788);
    CHECK(sqe.inline_length == 0);
    CHECK(sqe.sge[0].addr == bench.sge.addr);
    CHECK(sqe.sge[0].length == 8);
    CHECK(sqe.sge[0].lkey == 0x1234);
    CHECK(bench.kernel.record(bench.qp).sq_pi == 1);
    CHECK(bench.kernel.take_doorbell() == doorbell(VRNIC_DB_TYPE_SQ, bench.qp->qp_num));

    SECTION("all opcodes") {
        const std::pair<ibv_wr_opcode, uint8_t> table[] = {{IBV_WR_SEND, VRNIC_OP_SEND},
                                                           {IBV_WR_RDMA_WRITE, VRNIC_OP_WRITE},
                                                           {IBV_WR_RDMA_READ, VRNIC_OP_READ}};
        uint32_t index = 1;
        for (auto [opcode, expected] : table) {
            ibv_send_wr other = bench.send(2);
            other.opcode = opcode;
            REQUIRE(bench.post(other) == 0);
            CHECK(bench.kernel.send_entry(bench.qp, index).opcode == expected);
            CHECK(bench.kernel.send_entry(bench.qp, index++).imm == 0);
        }
    }
    SECTION("inline data") {
        std::memcpy(bench.data.data(), "inline..data", 12);
        ibv_sge list[] = {{bench.sge.addr, 6, 0}, {bench.sge.addr + 8, 4, 0}};
        ibv_send_wr other = bench.send(2, IBV_SEND_INLINE);
        other.sg_list = list;
        other.num_sge = 2;
        REQUIRE(bench.post(other) == 0);
        const vrnic_sqe& entry = bench.kernel.send_entry(bench.qp, 1);
        CHECK(entry.num_sge == 0);
        CHECK(entry.inline_length == 10);
        CHECK(std::memcmp(bench.kernel.send_data(bench.qp, 1), "inlinedata", 10) == 0);
        other.opcode = IBV_WR_RDMA_READ;
        CHECK(bench.post(other) == EINVAL);
        other.opcode = IBV_WR_SEND;
        list[0].length = 33;  // 32 were asked for, the stride of 64 holds no more
        CHECK(bench.post(other) == EINVAL);
        list[0].length = 0xfffffffe;  // and no overflow of the sum
        CHECK(bench.post(other) == EINVAL);
        CHECK(bench.kernel.record(bench.qp).sq_pi == 2);
    }
    SECTION("refused") {
        ibv_send_wr other = bench.send(2);
        other.opcode = IBV_WR_TSO;
        CHECK(bench.post(other) == EINVAL);
        other = bench.send(2);
        other.num_sge = 3;
        CHECK(bench.post(other) == EINVAL);
        bench.qp->state = IBV_QPS_RTR;
        CHECK(bench.post(bench.send(2)) == EINVAL);
        CHECK(bench.kernel.take_doorbell() == 0);
    }
}

TEST_CASE("a list is posted up to the bad request") {
    Bench bench;
    std::array<ibv_send_wr, 3> list{bench.send(0), bench.send(1), bench.send(2)};
    list[0].next = &list[1];
    list[1].next = &list[2];
    list[1].num_sge = 99;
    ibv_send_wr* bad = nullptr;
    CHECK(vrnic_post_send(bench.qp, list.data(), &bad) == EINVAL);
    CHECK(bad == &list[1]);
    CHECK(bench.kernel.record(bench.qp).sq_pi == 1);
    CHECK(bench.kernel.take_doorbell() == doorbell(VRNIC_DB_TYPE_SQ, bench.qp->qp_num));
}

TEST_CASE("a full send queue, and unsignaled requests made free by a later one") {
    Bench bench;
    for (uint64_t id = 0; id < 63; ++id) REQUIRE(bench.post(bench.send(id)) == 0);
    REQUIRE(bench.post(bench.send(63, IBV_SEND_SIGNALED)) == 0);
    CHECK(bench.post(bench.send(64)) == ENOMEM);
    bench.kernel.complete_send(bench.cq, bench.qp, 63);
    const ibv_wc wc = bench.poll();
    CHECK(wc.wr_id == 63);
    CHECK(wc.status == IBV_WC_SUCCESS);
    CHECK(wc.opcode == IBV_WC_SEND);
    CHECK(wc.qp_num == bench.qp->qp_num);
    CHECK(bench.kernel.record(bench.cq).ci == 1);
    for (uint64_t id = 64; id < 128; ++id) CHECK(bench.post(bench.send(id)) == 0);
    CHECK(bench.post(bench.send(128)) == ENOMEM);
    CHECK(bench.kernel.record(bench.qp).sq_pi == 128);
}

TEST_CASE("receives and their completions, many times around the rings") {
    Bench bench;
    for (uint32_t i = 0; i < 100; ++i) {
        REQUIRE(bench.post_receive(1000 + i) == 0);
        CHECK(bench.kernel.receive_entry(bench.qp, i).num_sge == 1);
        CHECK(bench.kernel.receive_entry(bench.qp, i).sge[0].lkey == 0x1234);
        CHECK(bench.kernel.record(bench.qp).rq_pi == i + 1);
        CHECK(bench.nothing_to_poll());
        vrnic_cqe cqe{};
        cqe.qpn = bench.qp->qp_num;
        cqe.opcode = i % 2 ? VRNIC_OP_RECV_WRITE_IMM : VRNIC_OP_RECV_IMM;
        cqe.flags = VRNIC_CQE_IMM;
        cqe.byte_len = i;
        cqe.wqe_index = i;
        cqe.imm.raw = 0x11223344;
        bench.kernel.complete(bench.cq, cqe);
        const ibv_wc wc = bench.poll();
        CHECK(wc.wr_id == 1000 + i);
        CHECK(wc.opcode == (i % 2 ? IBV_WC_RECV_RDMA_WITH_IMM : IBV_WC_RECV));
        CHECK(wc.byte_len == i);
        CHECK(wc.wc_flags == IBV_WC_WITH_IMM);
        CHECK(wc.imm_data == 0x11223344);
        CHECK(bench.kernel.record(bench.cq).ci == i + 1);
    }
    CHECK(bench.kernel.take_doorbell() == 0);  // receives ring none
}

TEST_CASE("a full receive queue; receives are refused in RESET") {
    Bench bench;
    for (uint64_t id = 0; id < 4; ++id) REQUIRE(bench.post_receive(id) == 0);
    CHECK(bench.post_receive(4) == ENOMEM);
    bench.qp->state = IBV_QPS_RESET;
    CHECK(bench.post_receive(4) == EINVAL);
}

TEST_CASE("an error completion names the request") {
    Bench bench;
    ibv_send_wr wr = bench.send(77);
    wr.opcode = IBV_WR_RDMA_READ;
    REQUIRE(bench.post(wr) == 0);
    vrnic_cqe cqe{};
    cqe.qpn = bench.qp->qp_num;
    cqe.flags = VRNIC_CQE_SEND_QUEUE;
    cqe.status = VRNIC_WC_REM_ACCESS_ERR;
    cqe.syndrome = VRNIC_SYND_NAK_ACCESS;
    bench.kernel.complete(bench.cq, cqe);
    const ibv_wc wc = bench.poll();
    CHECK(wc.wr_id == 77);
    CHECK(wc.status == IBV_WC_REM_ACCESS_ERR);
    CHECK(wc.opcode == IBV_WC_RDMA_READ);
    CHECK(wc.vendor_err == VRNIC_SYND_NAK_ACCESS);
}

TEST_CASE("once the QP is known to be in error, receives are announced") {
    Bench bench;
    const uint64_t ring_rq = doorbell(VRNIC_DB_TYPE_RQ, bench.qp->qp_num);
    REQUIRE(bench.post_receive(1) == 0);
    CHECK(bench.kernel.take_doorbell() == 0);
    SECTION("by a completion") {
        bench.kernel.complete_receive(bench.cq, bench.qp, 0, VRNIC_WC_WR_FLUSH_ERR);
        CHECK(bench.poll().opcode == IBV_WC_RECV);
        CHECK(bench.kernel.take_doorbell() == ring_rq);  // those posted meanwhile
    }
    SECTION("by an event") {
        ibv_async_event event{};
        event.event_type = IBV_EVENT_QP_ACCESS_ERR;
        event.element.qp = bench.qp;
        vrnic_async_event(bench.kernel.context(), &event);
        CHECK(bench.kernel.take_doorbell() == ring_rq);
    }
    SECTION("by modify") {
        REQUIRE(bench.kernel.move_to(bench.qp, IBV_QPS_ERR) == 0);
        CHECK(bench.kernel.take_doorbell() == ring_rq);
    }
    REQUIRE(bench.post_receive(2) == 0);
    CHECK(bench.kernel.take_doorbell() == ring_rq);

    REQUIRE(bench.kernel.move_to(bench.qp, IBV_QPS_RESET) == 0);
    bench.qp->state = IBV_QPS_INIT;
    REQUIRE(bench.post_receive(3) == 0);
    CHECK(bench.kernel.take_doorbell() == 0);
}

TEST_CASE("no doorbell while the device looks at the send queue by itself") {
    Bench bench;
    const auto ring = doorbell(VRNIC_DB_TYPE_SQ, bench.qp->qp_num);
    bench.kernel.set_send_busy(bench.qp, true);
    REQUIRE(bench.post(bench.send(0)) == 0);
    CHECK(bench.kernel.record(bench.qp).sq_pi == 1);
    CHECK(bench.kernel.take_doorbell() == 0);
    SECTION("until it says that it does not") {
        bench.kernel.set_send_busy(bench.qp, false);
    }
    SECTION("until RESET") {
        REQUIRE(bench.kernel.move_to(bench.qp, IBV_QPS_RESET) == 0);
        bench.qp->state = IBV_QPS_RTS;
    }
    REQUIRE(bench.post(bench.send(1)) == 0);
    CHECK(bench.kernel.take_doorbell() == ring);
}

TEST_CASE("RESET empties the queues and forgets completions") {
    Bench bench;
    for (uint64_t id = 0; id < 4; ++id) REQUIRE(bench.post(bench.send(id)) == 0);
    bench.kernel.complete_send(bench.cq, bench.qp, 0);
    SECTION("done") {
        REQUIRE(bench.kernel.move_to(bench.qp, IBV_QPS_RESET) == 0);
        CHECK(bench.kernel.record(bench.qp).sq_pi == 0);
        CHECK(bench.nothing_to_poll());
        CHECK(bench.kernel.record(bench.cq).ci == 1);  // its place is free
        bench.qp->state = IBV_QPS_RTS;
        for (uint64_t id = 0; id < 4; ++id) CHECK(bench.post(bench.send(10 + id)) == 0);
        bench.kernel.complete_send(bench.cq, bench.qp, 0);
        CHECK(bench.poll().wr_id == 10);
    }
    SECTION("refused by the kernel: nothing changes") {
        bench.kernel.next_error = EINVAL;
        CHECK(bench.kernel.move_to(bench.qp, IBV_QPS_RESET) == EINVAL);
        CHECK(bench.kernel.record(bench.qp).sq_pi == 4);
        CHECK(bench.poll().wr_id == 0);
    }
}

TEST_CASE("completions of a destroyed QP are skipped, those of others are not") {
    Bench bench;
    ibv_qp* other = bench.kernel.create_qp(bench.cq);
    REQUIRE(other);
    REQUIRE(bench.post(bench.send(1)) == 0);
    ibv_send_wr wr = bench.send(2), *bad = nullptr;
    REQUIRE(vrnic_post_send(other, &wr, &bad) == 0);
    bench.kernel.complete_send(bench.cq, bench.qp, 0);
    bench.kernel.complete_send(bench.cq, other, 0);
    bench.kernel.complete_send(bench.cq, bench.qp, 0);
    REQUIRE(vrnic_destroy_qp(bench.qp) == 0);
    bench.qp = other;
    CHECK(bench.poll().wr_id == 2);
    CHECK(bench.nothing_to_poll());
    CHECK(bench.kernel.record(bench.cq).ci == 3);
}

TEST_CASE("a QP that the kernel does not destroy lives on") {
    Bench bench;
    REQUIRE(bench.post(bench.send(1)) == 0);
    bench.kernel.next_error = EBUSY;
    CHECK(vrnic_destroy_qp(bench.qp) == EBUSY);
    bench.kernel.complete_send(bench.cq, bench.qp, 0);
    CHECK(bench.poll().wr_id == 1);
}

TEST_CASE("arming") {
    Bench bench;
    const uint64_t ring_arm = doorbell(VRNIC_DB_TYPE_CQ_ARM, bench.cq->handle);
    CHECK(vrnic_req_notify_cq(bench.cq, 1) == 0);
    CHECK(bench.kernel.take_doorbell() == ring_arm);
    CHECK(bench.kernel.record(bench.cq).arm == (1 | VRNIC_CQ_ARM_SOLICITED));
    CHECK(vrnic_req_notify_cq(bench.cq, 0) == 0);
    CHECK(bench.kernel.record(bench.cq).arm == 2);
    // Not narrowed ...
    CHECK(vrnic_req_notify_cq(bench.cq, 1) == 0);
    CHECK(bench.kernel.record(bench.cq).arm == 3);
    // ... before the event came.
    vrnic_cq_event(bench.cq);
    CHECK(vrnic_req_notify_cq(bench.cq, 1) == 0);
    CHECK(bench.kernel.record(bench.cq).arm == (4 | VRNIC_CQ_ARM_SOLICITED));
}

TEST_CASE("as many completions as there is room for") {
    Bench bench;
    for (uint64_t id = 0; id < 3; ++id) REQUIRE(bench.post(bench.send(id)) == 0);
    for (uint32_t i = 0; i < 3; ++i) bench.kernel.complete_send(bench.cq, bench.qp, i);
    std::array<ibv_wc, 4> wc{};
    CHECK(vrnic_poll_cq(bench.cq, 2, wc.data()) == 2);
    CHECK(wc[0].wr_id == 0);
    CHECK(wc[1].wr_id == 1);
    CHECK(bench.poll().wr_id == 2);
    CHECK(bench.nothing_to_poll());
}
