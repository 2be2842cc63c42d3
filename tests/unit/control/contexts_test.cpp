// SPDX-License-Identifier: GPL-2.0-or-later
// Objects as the device holds them, asked for by number.
#include "control/contexts.h"

#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

struct LookedInto : Connection {
    vrnic_admin_cpl ask(std::uint32_t type, std::uint32_t number, BusAddress to,
                        std::uint32_t length) {
        vrnic_cmd_query_object fields{};
        fields.answer.addr = to;
        fields.answer.length = length;
        fields.type = type;
        fields.number = number;
        return guest.submit(VRNIC_ADMIN_QUERY_OBJECT, fields);
    }
    template <typename Context>
    Context context(std::uint32_t type, std::uint32_t number) {
        const BusAddress to = guest.host.allocate(sizeof(Context));
        CHECK(ask(type, number, to, sizeof(Context)).status == VRNIC_STATUS_OK);
        return guest.host.load<Context>(to);
    }
    vrnic_qp_context qp() { return context<vrnic_qp_context>(VRNIC_CONTEXT_QP, qpn); }
};

}  // namespace

TEST_CASE("a queue pair's context moves with what it does") {
    LookedInto c;
    const vrnic_qp_context before = c.qp();
    CHECK(before.qpn == c.qpn);
    CHECK(before.type == VRNIC_QPT_RC);
    CHECK(before.state == VRNIC_QPS_RTS);
    CHECK(before.pdn == c.pdn);
    CHECK(before.uar == c.uar);
    CHECK(before.send_cqn == c.cq.cqn);
    CHECK(before.dest_qpn == kPeerQpn);
    CHECK(before.next_psn == c.options.sq_psn);
    CHECK(before.expected_psn == c.options.rq_psn);
    CHECK(before.sq_size == 1u << Connection::kLogEntries);
    CHECK(before.requests == 0);
    CHECK(before.timer_running == 0);

    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 3 * kMtu));
    const auto packets = c.sent();
    REQUIRE(packets.size() == 3);
    const vrnic_qp_context sent = c.qp();
    CHECK(sent.sq_producer == before.sq_producer + 1);
    CHECK(sent.sq_next == before.sq_next + 1);
    CHECK(sent.unacked_psn == c.options.sq_psn);
    CHECK(sent.next_psn == c.options.sq_psn + 3);
    CHECK(sent.sent_end_psn == c.options.sq_psn + 3);
    CHECK(sent.requests == 1);
    CHECK(sent.unsent == 0);
    CHECK(sent.timer_running == 1);

    c.acknowledge(packets.back().packet.psn);
    const vrnic_qp_context done = c.qp();
    CHECK(done.unacked_psn == c.options.sq_psn + 3);
    CHECK(done.requests == 0);
    CHECK(done.timer_running == 0);
    CHECK(c.context<vrnic_cq_context>(VRNIC_CONTEXT_CQ, c.cq.cqn).index == 1);
}

TEST_CASE("every kind of object has a context") {
    LookedInto c;
    const auto port = c.context<vrnic_port_context>(VRNIC_CONTEXT_PORT, 1);
    CHECK(port.link_up == 1);
    CHECK((port.flags & VRNIC_PORT_UP) != 0);
    const auto pd = c.context<vrnic_domain_context>(VRNIC_CONTEXT_PD, c.pdn);
    CHECK(pd.number == c.pdn);
    CHECK(pd.users == 2);  // a region, a queue pair
    const auto cq = c.context<vrnic_cq_context>(VRNIC_CONTEXT_CQ, c.cq.cqn);
    CHECK(cq.size == 1u << c.options.cq_log_size);
    CHECK(cq.users == 2);
    const auto key = c.context<vrnic_key_context>(VRNIC_CONTEXT_KEY, c.key);
    CHECK(key.key == c.key);
    CHECK(key.kind == VRNIC_KEY_REGION);
    CHECK(key.granting == 1);
    CHECK(key.iova == kIova);
    CHECK(key.length == kRegionSize);
    const auto set = Guest::handle(c.guest.submit_empty(VRNIC_ADMIN_CREATE_COUNTERS));
    CHECK(c.context<vrnic_counters_context>(VRNIC_CONTEXT_COUNTERS, set).users == 0);
    const auto xrcdn = Guest::handle(c.guest.submit_empty(VRNIC_ADMIN_ALLOC_XRCD));
    CHECK(c.context<vrnic_domain_context>(VRNIC_CONTEXT_XRCD, xrcdn).number == xrcdn);
}

TEST_CASE("what is not there has no context, and an answer is cut to its room") {
    LookedInto c;
    const BusAddress to = c.guest.host.allocate(VRNIC_CONTEXT_MAX_SIZE);
    for (std::uint32_t type = VRNIC_CONTEXT_PORT; type <= VRNIC_CONTEXT_STREAM; ++type) {
        for (const std::uint32_t number : {7u, 0xfffff0u, ~0u}) {
            INFO("type " << type << ", number " << number);
            CHECK(c.ask(type, number, to, VRNIC_CONTEXT_MAX_SIZE).status == VRNIC_STATUS_NO_OBJECT);
        }
    }
    for (const std::uint32_t type : {0u, VRNIC_CONTEXT_STREAM + 1u, ~0u})
        CHECK(c.ask(type, 1, to, 64).status == VRNIC_STATUS_INVALID);
    CHECK(c.ask(VRNIC_CONTEXT_QP, c.qpn, to, 4).status == VRNIC_STATUS_INVALID);

    c.guest.host.store<std::uint32_t>(to + 8, 0x5a5a5a5a);
    CHECK(c.ask(VRNIC_CONTEXT_QP, c.qpn, to, 8).status == VRNIC_STATUS_OK);
    CHECK(c.guest.host.load<std::uint32_t>(to + 8) == 0x5a5a5a5a);
}
