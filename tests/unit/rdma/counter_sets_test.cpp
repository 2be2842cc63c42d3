// SPDX-License-Identifier: GPL-2.0-or-later
// Sets of counters that queue pairs are bound to.
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

struct CountedConnection : Connection {
    std::uint32_t make_set() {
        return Guest::handle(guest.submit_empty(VRNIC_ADMIN_CREATE_COUNTERS));
    }
    vrnic_admin_cpl try_bind(std::uint32_t to, std::uint32_t set) {
        vrnic_cmd_bind_counters fields{};
        fields.qpn = to;
        fields.counters = set;
        return guest.submit(VRNIC_ADMIN_BIND_COUNTERS, fields);
    }
    void bind(std::uint32_t set) { CHECK(try_bind(qpn, set).status == VRNIC_STATUS_OK); }
    vrnic_counters counted(std::uint32_t whose) {
        vrnic_cmd_query_counters fields{};
        fields.answer.addr = guest.host.allocate(sizeof(vrnic_counters));
        fields.answer.length = sizeof(vrnic_counters);
        fields.counters = whose;
        CHECK(guest.submit(VRNIC_ADMIN_QUERY_COUNTERS, fields).status == VRNIC_STATUS_OK);
        return guest.host.load<vrnic_counters>(fields.answer.addr);
    }
    // A WRITE of three packets, acknowledged: one more packet, and a completion.
    void exchange() {
        post_send(send_entry(VRNIC_OP_WRITE, 0, 3 * kMtu));
        const auto packets = sent();
        REQUIRE(packets.size() == 3);
        acknowledge(packets.back().packet.psn);
        CHECK(poll()->status == VRNIC_WC_SUCCESS);
    }
};

}  // namespace

TEST_CASE("a set counts what its queue pair does, and only while it is bound") {
    CountedConnection c;
    c.exchange();
    const std::uint32_t set = c.make_set();
    CHECK(set != 0);
    c.bind(set);
    c.exchange();
    c.bind(0);
    c.exchange();

    const vrnic_counters own = c.counted(set);
    CHECK(own.roce_tx_packets == 3);
    CHECK(own.roce_rx_packets == 1);
    CHECK(own.roce_rx_bytes > 0);
    CHECK(own.roce_acks_received == 1);
    CHECK(own.completions == 1);
    CHECK(own.admin_commands == 0);
    const vrnic_counters all = c.counted(VRNIC_COUNTERS_DEVICE);
    CHECK(all.roce_tx_packets == 9);
    const vrnic_counters rest = c.counted(VRNIC_COUNTERS_UNBOUND);
    CHECK(rest.roce_tx_packets == 6);
    CHECK(rest.roce_rx_packets == 2);
    CHECK(rest.admin_commands > 0);
}

TEST_CASE("what a set has counted is not the others' when it is gone") {
    CountedConnection c;
    const std::uint32_t set = c.make_set();
    c.bind(set);
    c.exchange();
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_COUNTERS, set).status == VRNIC_STATUS_BUSY);
    c.bind(0);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_COUNTERS, set).status == VRNIC_STATUS_OK);
    CHECK(c.counted(VRNIC_COUNTERS_UNBOUND).roce_tx_packets == 0);
    CHECK(c.counted(VRNIC_COUNTERS_DEVICE).roce_tx_packets == 3);
}

TEST_CASE("a destroyed queue pair is bound no more") {
    CountedConnection c;
    const std::uint32_t set = c.make_set();
    c.bind(set);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_COUNTERS, set).status == VRNIC_STATUS_OK);
}

TEST_CASE("sets and queue pairs that are not there, and more sets than there are") {
    CountedConnection c;
    CHECK(c.try_bind(c.qpn, 1).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(c.try_bind(c.qpn, VRNIC_COUNTERS_UNBOUND).status == VRNIC_STATUS_NO_OBJECT);
    std::uint32_t made = 0;
    vrnic_admin_cpl last;
    while ((last = c.guest.submit_empty(VRNIC_ADMIN_CREATE_COUNTERS)).status == VRNIC_STATUS_OK)
        ++made;
    CHECK(last.status == VRNIC_STATUS_LIMIT);
    CHECK(made == 1024);
    CHECK(c.try_bind(0x123456, 1).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(c.try_bind(c.qpn, 1024).status == VRNIC_STATUS_OK);
    CHECK(c.try_bind(c.qpn, 1025).status == VRNIC_STATUS_NO_OBJECT);
    vrnic_cmd_query_counters fields{};
    fields.answer.addr = c.guest.host.allocate(sizeof(vrnic_counters));
    fields.answer.length = sizeof(vrnic_counters);
    fields.counters = 1025;
    CHECK(c.guest.submit(VRNIC_ADMIN_QUERY_COUNTERS, fields).status == VRNIC_STATUS_NO_OBJECT);
}

TEST_CASE("a reset ends all sets") {
    CountedConnection c;
    const std::uint32_t set = c.make_set();
    c.bind(set);
    c.exchange();
    c.guest.engine.reset();
    CHECK(c.guest.engine.counters().roce_tx_packets == 0);
}
