// SPDX-License-Identifier: GPL-2.0-or-later
// CREATE_QP, MODIFY_QP, QUERY_QP, DESTROY_QP with every field wrong in turn.
#include "rdma/qp_commands.h"

#include <functional>

#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

#define AT_CREATE(field) VRNIC_FIELD(vrnic_cmd_create_qp, field)
#define AT_ATTR(field)                        \
    (VRNIC_FIELD(vrnic_cmd_modify_qp, attr) + \
     static_cast<std::uint32_t>(offsetof(vrnic_qp_attr, field)))
#define AT_AV(field) (AT_ATTR(av) + static_cast<std::uint32_t>(offsetof(vrnic_av, field)))

struct BadCreate {
    const char* what;
    std::function<void(vrnic_cmd_create_qp&)> change;
    unsigned status;
    std::uint32_t detail;
};

struct BadModify {
    const char* what;
    std::function<void(vrnic_cmd_modify_qp&)> change;
    unsigned status;
    std::uint32_t detail;
};

}  // namespace

TEST_CASE("CREATE_QP refuses what it cannot make") {
    Connection c;
    const BadCreate kTable[] = {
        {"type", [](auto& f) { f.type = 5; }, VRNIC_STATUS_UNSUPPORTED, AT_CREATE(type)},
        {"flags", [](auto& f) { f.flags = 2u; }, VRNIC_STATUS_INVALID, AT_CREATE(flags)},
        {"send CQ", [](auto& f) { f.send_cqn = 99u; }, VRNIC_STATUS_NO_OBJECT, AT_CREATE(send_cqn)},
        {"receive CQ", [](auto& f) { f.recv_cqn = ~0u; }, VRNIC_STATUS_NO_OBJECT,
         AT_CREATE(recv_cqn)},
        {"send size", [](auto& f) { f.sq_log_size = 15; }, VRNIC_STATUS_INVALID,
         AT_CREATE(sq_log_size)},
        {"send size past shifts", [](auto& f) { f.sq_log_size = 64; }, VRNIC_STATUS_INVALID,
         AT_CREATE(sq_log_size)},
        {"receive size", [](auto& f) { f.rq_log_size = 254; }, VRNIC_STATUS_INVALID,
         AT_CREATE(rq_log_size)},
        {"send stride small", [](auto& f) { f.sq_log_stride = 5; }, VRNIC_STATUS_INVALID,
         AT_CREATE(sq_log_stride)},
        {"send stride large", [](auto& f) { f.sq_log_stride = 11; }, VRNIC_STATUS_INVALID,
         AT_CREATE(sq_log_stride)},
        {"receive stride small", [](auto& f) { f.rq_log_stride = 4; }, VRNIC_STATUS_INVALID,
         AT_CREATE(rq_log_stride)},
        {"receive stride large", [](auto& f) { f.rq_log_stride = 10; }, VRNIC_STATUS_INVALID,
         AT_CREATE(rq_log_stride)},
        {"send offset", [](auto& f) { f.sq_offset = 32u; }, VRNIC_STATUS_INVALID,
         AT_CREATE(sq_offset)},
        {"receive offset", [](auto& f) { f.rq_offset = 8u; }, VRNIC_STATUS_INVALID,
         AT_CREATE(rq_offset)},
        {"record offset", [](auto& f) { f.dbrec_offset = 8u; }, VRNIC_STATUS_INVALID,
         AT_CREATE(dbrec_offset)},
    };
    for (const BadCreate& bad : kTable) {
        auto fields = c.qp_fields();
        bad.change(fields);
        const auto answer = c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields);
        CAPTURE(bad.what);
        CHECK(answer.status == bad.status);
        CHECK(answer.detail == bad.detail);
    }
    // Offsets that end past the memory.
    for (const auto offset : {&vrnic_cmd_create_qp::sq_offset, &vrnic_cmd_create_qp::rq_offset,
                              &vrnic_cmd_create_qp::dbrec_offset}) {
        auto fields = c.qp_fields();
        fields.*offset = 0xffffffc0u;
        CHECK(c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields).status == VRNIC_STATUS_INVALID);
    }
    // And none of it has used anything up.
    CHECK(c.guest.submit(VRNIC_ADMIN_CREATE_QP, c.qp_fields()).status == VRNIC_STATUS_OK);
}

TEST_CASE("a QP may lack a send or a receive queue") {
    Connection c;
    auto fields = c.qp_fields();
    fields.sq_log_size = fields.rq_log_size = VRNIC_NO_QUEUE;
    fields.sq_log_stride = fields.rq_log_stride = 0;
    const auto answer = c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields);
    CHECK(answer.status == VRNIC_STATUS_OK);
    c.guest.ring(c.uar, VRNIC_DB_TYPE_SQ, Guest::handle(answer));
    c.settle();
}

TEST_CASE("MODIFY_QP to RTR and RTS refuses attributes out of range") {
    const BadModify kRtr[] = {
        {"path MTU 0", [](auto& f) { f.attr.path_mtu = 0; }, VRNIC_STATUS_INVALID,
         AT_ATTR(path_mtu)},
        {"path MTU 6", [](auto& f) { f.attr.path_mtu = 6; }, VRNIC_STATUS_INVALID,
         AT_ATTR(path_mtu)},
        {"RQ PSN", [](auto& f) { f.attr.rq_psn = 0x1000000u; }, VRNIC_STATUS_INVALID,
         AT_ATTR(rq_psn)},
        {"peer's QPN", [](auto& f) { f.attr.dest_qpn = 0x1000000u; }, VRNIC_STATUS_INVALID,
         AT_ATTR(dest_qpn)},
        {"READs", [](auto& f) { f.attr.max_dest_rd_atomic = 17; }, VRNIC_STATUS_INVALID,
         AT_ATTR(max_dest_rd_atomic)},
        {"RNR timer", [](auto& f) { f.attr.min_rnr_timer = 32; }, VRNIC_STATUS_INVALID,
         AT_ATTR(min_rnr_timer)},
        {"GID that is empty", [](auto& f) { f.attr.av.sgid_index = 1; }, VRNIC_STATUS_INVALID,
         AT_AV(sgid_index)},
        {"GID out of range", [](auto& f) { f.attr.av.sgid_index = 255; }, VRNIC_STATUS_INVALID,
         AT_AV(sgid_index)},
        {"IPv6 from IPv4", [](auto& f) { f.attr.av.dgid[0] = 0xfd; }, VRNIC_STATUS_INVALID,
         AT_AV(dgid)},
        {"group MAC", [](auto& f) { f.attr.av.dmac[0] |= 1; }, VRNIC_STATUS_INVALID, AT_AV(dmac)},
        {"flow label", [](auto& f) { f.attr.av.flow_label = 0x100000u; }, VRNIC_STATUS_INVALID,
         AT_AV(flow_label)},
        {"service level", [](auto& f) { f.attr.av.sl = 16; }, VRNIC_STATUS_INVALID, AT_AV(sl)},
        {"an attribute is missing", [](auto& f) { f.mask = f.mask & ~VRNIC_QP_RQ_PSN; },
         VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_modify_qp, mask)},
        {"one too many", [](auto& f) { f.mask = f.mask | VRNIC_QP_SQ_PSN; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_modify_qp, mask)},
        {"one that is unknown", [](auto& f) { f.mask = f.mask | 1u << 31; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_modify_qp, mask)},
        {"no such transition", [](auto& f) { f.attr.state = VRNIC_QPS_SQD; },
         VRNIC_STATUS_BAD_STATE, AT_ATTR(state)},
        {"no such state", [](auto& f) { f.attr.state = 77; }, VRNIC_STATUS_BAD_STATE,
         AT_ATTR(state)},
        {"no such QP", [](auto& f) { f.qpn = 5u; }, VRNIC_STATUS_NO_OBJECT,
         VRNIC_FIELD(vrnic_cmd_modify_qp, qpn)},
    };
    const BadModify kRts[] = {
        {"timeout", [](auto& f) { f.attr.timeout = 32; }, VRNIC_STATUS_INVALID, AT_ATTR(timeout)},
        {"retries", [](auto& f) { f.attr.retry_cnt = 8; }, VRNIC_STATUS_INVALID,
         AT_ATTR(retry_cnt)},
        {"RNR retries", [](auto& f) { f.attr.rnr_retry = 8; }, VRNIC_STATUS_INVALID,
         AT_ATTR(rnr_retry)},
        {"SQ PSN", [](auto& f) { f.attr.sq_psn = 0xffffffffu; }, VRNIC_STATUS_INVALID,
         AT_ATTR(sq_psn)},
        {"READs", [](auto& f) { f.attr.max_rd_atomic = 255; }, VRNIC_STATUS_INVALID,
         AT_ATTR(max_rd_atomic)},
        {"current state",
         [](auto& f) {
             f.mask = f.mask | VRNIC_QP_CUR_STATE;
             f.attr.cur_state = VRNIC_QPS_RTS;
         },
         VRNIC_STATUS_BAD_STATE, AT_ATTR(cur_state)},
    };
    Connection c;
    c.modify(VRNIC_QPS_RESET, VRNIC_QP_STATE);
    c.to_init();
    const auto refuse = [&](const BadModify& bad, vrnic_cmd_modify_qp fields) {
        bad.change(fields);
        const auto answer = c.guest.submit(VRNIC_ADMIN_MODIFY_QP, fields);
        CAPTURE(bad.what);
        CHECK(answer.status == bad.status);
        CHECK(answer.detail == bad.detail);
    };
    for (const BadModify& bad : kRtr) refuse(bad, c.modify_fields(VRNIC_QPS_RTR, c.rtr_mask()));
    CHECK(unsigned(c.state()) == VRNIC_QPS_INIT);
    c.to_rtr();
    for (const BadModify& bad : kRts) refuse(bad, c.modify_fields(VRNIC_QPS_RTS, c.rts_mask()));
    CHECK(unsigned(c.state()) == VRNIC_QPS_RTR);
    c.to_rts();
}

TEST_CASE("QUERY_QP tells what was set and where the queues are") {
    Connection c;
    auto attr = c.query();
    CHECK(unsigned(attr.state) == VRNIC_QPS_RTS);
    CHECK(unsigned(attr.path_mtu) == 1);
    CHECK(attr.dest_qpn == kPeerQpn);
    CHECK(attr.sq_psn == c.options.sq_psn);
    CHECK(attr.rq_psn == c.options.rq_psn);
    CHECK(unsigned(attr.timeout) == c.options.timeout);
    CHECK(unsigned(attr.retry_cnt) == c.options.retry_cnt);
    CHECK(unsigned(attr.rnr_retry) == c.options.rnr_retry);
    CHECK(attr.access_flags == c.options.access);
    CHECK(std::equal(kPeerGid.begin(), kPeerGid.end(), attr.av.dgid));
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 600));
    c.deliver(c.next_write(roce::kWriteOnly, 0, 4), Connection::pattern(4));
    attr = c.query();
    CHECK(attr.sq_psn == c.options.sq_psn + 3);
    CHECK(attr.rq_psn == c.options.rq_psn + 1);
    c.modify(VRNIC_QPS_RESET, VRNIC_QP_STATE);
    CHECK(unsigned(c.state()) == VRNIC_QPS_RESET);
}

TEST_CASE("QP numbers: none below 16, the last one freed comes back last") {
    Connection c;
    CHECK(c.qpn >= 16);
    const auto first = Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_QP, c.qp_fields()));
    c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, first);
    const auto second = Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_QP, c.qp_fields()));
    CHECK(second != first);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, first).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_QUERY_QP, first).status == VRNIC_STATUS_NO_OBJECT);
}

TEST_CASE("what a QP uses cannot go before it") {
    Connection c;
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_CQ, c.cq.cqn).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEALLOC_PD, c.pdn).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_FREE_UAR, c.uar).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_CQ, c.cq.cqn).status == VRNIC_STATUS_OK);
}

TEST_CASE("a doorbell of another slot rings nothing") {
    Connection c;
    const auto entry = c.send_entry(VRNIC_OP_SEND, 0, 10);
    c.guest.host.store(c.queues, entry);
    vrnic_le32 one;
    one = 1u;
    c.guest.host.store(c.queues + Connection::kRecordOffset, one);
    c.guest.ring(0, VRNIC_DB_TYPE_SQ, c.qpn);
    c.settle();
    CHECK(c.sent().empty());
    CHECK(c.counters().doorbell_errors == 1);
    c.guest.ring(c.uar, VRNIC_DB_TYPE_SQ, c.qpn);
    c.settle();
    CHECK(c.sent().size() == 1);
}
