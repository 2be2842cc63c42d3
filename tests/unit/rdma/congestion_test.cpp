// SPDX-License-Identifier: GPL-2.0-or-later
// Congestion notifications (annex A17.9).
#include "rdma/congestion.h"

#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

Frame marked_write(Connection& c, std::uint8_t ecn) {
    Path path = c.peer_path();
    path.traffic_class = static_cast<std::uint8_t>(0x60 | ecn);
    return Connection::build(path, c.next_write(kWriteOnly, 0, 4), Connection::pattern(4));
}

unsigned notifications(Connection& c) {
    unsigned count = 0;
    for (const Sent& one : c.sent()) count += one.opcode() == kCongestionNotification;
    return count;
}

}  // namespace

TEST_CASE("a packet that was marked is answered with a notification, to its sender") {
    Connection c;
    c.deliver(marked_write(c, 3));
    bool found = false;
    for (const Sent& one : c.sent()) {
        if (one.opcode() != kCongestionNotification) continue;
        found = true;
        CHECK(one.packet.destination_qp == kPeerQpn);
        CHECK(one.packet.destination == kPeerGid);
        CHECK(one.packet.destination_mac == kPeerMac);
        CHECK(one.packet.source == kGid);
        CHECK(one.frame.size() == 14 + 20 + 8 + 12 + 16 + 4);
        CHECK((unsigned(one.frame[14 + 20 + 8 + 4]) & 0x40) != 0);  // BECN
    }
    CHECK(found);
    CHECK(c.holds(0, Connection::pattern(4)));
    CHECK(c.counters().roce_np_ecn_marked == 1);
    CHECK(c.counters().roce_np_cnp_sent == 1);
}

TEST_CASE("notifications are not sent more often than the interval, nor without a mark") {
    Connection c;
    for (const std::uint8_t ecn : {0, 1, 2}) c.deliver(marked_write(c, ecn));
    CHECK(notifications(c) == 0);
    for (int i = 0; i < 5; ++i) c.deliver(marked_write(c, 3));
    CHECK(notifications(c) == 1);
    CHECK(c.counters().roce_np_ecn_marked == 5);
    c.guest.host.time += congestion::kNotificationInterval;
    c.deliver(marked_write(c, 3));
    CHECK(notifications(c) == 1);
}

TEST_CASE("a notification that comes is counted") {
    Connection c;
    Path path = c.peer_path();
    path.service = Service::congestion;
    PacketFields fields;
    fields.opcode = kNotification;
    c.deliver(Connection::build(path, fields));
    CHECK(c.counters().roce_rp_cnp_handled == 1);
    CHECK(c.sent().empty());
    CHECK(unsigned(c.state()) == VRNIC_QPS_RTS);
}
