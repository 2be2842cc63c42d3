// SPDX-License-Identifier: GPL-2.0-or-later
// What is done to an object on call.
#include "control/calls.h"

#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

std::uint16_t call(Connection& c, std::uint32_t type, std::uint32_t number,
                   std::uint32_t operation) {
    vrnic_cmd_call_object cmd{};
    cmd.type = type;
    cmd.number = number;
    cmd.operation = operation;
    return c.guest.submit(VRNIC_ADMIN_CALL_OBJECT, cmd).status;
}

}  // namespace

TEST_CASE("a queue pair whose timer runs out on call sends again") {
    Connection c;
    CHECK(call(c, VRNIC_CONTEXT_QP, c.qpn, VRNIC_CALL_QP_TIMEOUT) == VRNIC_STATUS_BAD_STATE);
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, kMtu));
    const auto first = c.sent();
    REQUIRE(first.size() == 1);
    CHECK(call(c, VRNIC_CONTEXT_QP, c.qpn, VRNIC_CALL_QP_TIMEOUT) == VRNIC_STATUS_OK);
    const auto again = c.sent();
    REQUIRE(again.size() == 1);
    CHECK(again[0].packet.psn == first[0].packet.psn);
    c.acknowledge(first[0].packet.psn);
    CHECK(c.poll()->status == VRNIC_WC_SUCCESS);
}

TEST_CASE("a shared receive queue says on call that its limit was reached") {
    Connection c({.shared_receives = true});
    CHECK(call(c, VRNIC_CONTEXT_SRQ, c.srqn, VRNIC_CALL_SRQ_LIMIT) == VRNIC_STATUS_OK);
    const auto event = c.guest.next_event(c.async);
    REQUIRE(event.has_value());
    CHECK(event->type == VRNIC_EVENT_SRQ_LIMIT);
    CHECK(event->number == c.srqn);
}

TEST_CASE("calls of what there is not are refused") {
    Connection c;
    CHECK(call(c, VRNIC_CONTEXT_CQ, c.cq.cqn, VRNIC_CALL_CQ_EVENT) == VRNIC_STATUS_OK);
    CHECK(call(c, VRNIC_CONTEXT_CQ, c.cq.cqn, 2) == VRNIC_STATUS_INVALID);
    CHECK(call(c, VRNIC_CONTEXT_PD, c.pdn, 1) == VRNIC_STATUS_INVALID);
    for (std::uint32_t type : {VRNIC_CONTEXT_QP, VRNIC_CONTEXT_CQ, VRNIC_CONTEXT_SRQ})
        CHECK(call(c, type, 0x4711, 1) == VRNIC_STATUS_NO_OBJECT);
}
