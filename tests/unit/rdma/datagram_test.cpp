// SPDX-License-Identifier: GPL-2.0-or-later
// UD: addresses in each request, the GRH in front of the data, Q_Keys, groups (IBTA 9.8.3, 10.5).
#include "rdma/datagram.h"

#include "rdma/multicast.h"
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

constexpr ConnectionOptions kUd = {.type = VRNIC_QPT_UD};
constexpr std::uint32_t kGrh = 40;
constexpr Gid kGroup = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 239, 1, 2, 3};

void set_group(vrnic_sqe_datagram& to) {
    std::copy(kGroup.begin(), kGroup.end(), to.av.dgid);
    to.qpn = VRNIC_MULTICAST_QPN;
}

unsigned attach(Connection& c, std::uint16_t opcode = VRNIC_ADMIN_ATTACH_MCAST) {
    vrnic_cmd_mcast fields{};
    fields.qpn = c.qpn;
    std::copy(kGroup.begin(), kGroup.end(), fields.gid);
    return c.guest.submit(opcode, fields).status;
}

// From the peer, to the group.
Path group_path(const Connection& c) {
    Path path = c.peer_path();
    path.destination = kGroup;
    path.destination_mac = multicast_mac(kGroup);
    path.destination_qp = VRNIC_MULTICAST_QPN;
    return path;
}

}  // namespace

TEST_CASE("UD: a request carries its own address") {
    Connection c(kUd);
    c.fill(0, 100);
    auto to = c.datagram_address();
    to.av.traffic_class = 0x20;
    to.av.hop_limit = 7;
    to.av.udp_sport = 0xd123;
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND_IMM, 0, 100), to);
    const Sent sent = c.only();
    CHECK(sent.opcode() == with_service(Service::ud, kSendOnlyImm));
    CHECK(sent.packet.destination_qp == kPeerQpn);
    CHECK(sent.packet.qkey == Connection::kQkey);
    CHECK(sent.packet.source_qp == c.qpn);
    CHECK(sent.packet.psn == Psn(c.options.sq_psn));
    CHECK(sent.packet.destination_mac == kPeerMac);
    CHECK(unsigned(sent.packet.traffic_class) == 0x20);
    CHECK(std::equal(sent.packet.payload.begin(), sent.packet.payload.end(),
                     c.memory(0, 100).begin(), c.memory(0, 100).end()));
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_SUCCESS);

    // Another peer is another address, at once.
    to.qpn = 0x888;
    to.av.dmac[5] = 0x77;
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 1), to);
    const Sent other = c.only();
    CHECK(other.packet.destination_qp == 0x888);
    CHECK(unsigned(other.packet.destination_mac[5]) == 0x77);
    CHECK(other.packet.psn == Psn(c.options.sq_psn + 1));
}

TEST_CASE("UD: a changed GID is seen by the next request") {
    Connection c(kUd);
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 1), c.datagram_address());
    CHECK(c.only().packet.source == kGid);
    vrnic_cmd_set_gid fields{};
    fields.vlan = VRNIC_VLAN_NONE;
    std::copy(kGid.begin(), kGid.end(), fields.gid);
    fields.gid[15] = 99;
    std::copy(kMac.begin(), kMac.end(), fields.smac);
    CHECK(c.guest.submit(VRNIC_ADMIN_SET_GID, fields).status == VRNIC_STATUS_OK);
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 1), c.datagram_address());
    CHECK(unsigned(c.only().packet.source[15]) == 99);
}

TEST_CASE("UD: bit 31 of the Q_Key means that of the queue pair") {
    Connection c(kUd);
    auto to = c.datagram_address();
    to.qkey = 0x80000000u;
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 1), to);
    CHECK(c.only().packet.qkey == Connection::kQkey);
}

TEST_CASE("UD: what is wrong with a request stops the send queue") {
    struct Bad {
        const char* what;
        void (*change)(vrnic_sqe&, vrnic_sqe_datagram&);
        unsigned status;
    };
    const Bad kTable[] = {
        {"source GID", [](auto&, auto& to) { to.av.sgid_index = 5; }, VRNIC_WC_LOC_QP_OP_ERR},
        {"no destination",
         [](auto&, auto& to) { std::fill(std::begin(to.av.dgid), std::end(to.av.dgid), 0); },
         VRNIC_WC_LOC_QP_OP_ERR},
        {"IPv6 from an IPv4 address", [](auto&, auto& to) { to.av.dgid[0] = 0xfe; },
         VRNIC_WC_LOC_QP_OP_ERR},
        {"flow label", [](auto&, auto& to) { to.av.flow_label = 1u << 20; },
         VRNIC_WC_LOC_QP_OP_ERR},
        {"service level", [](auto&, auto& to) { to.av.sl = 16; }, VRNIC_WC_LOC_QP_OP_ERR},
        {"a group's MAC", [](auto&, auto& to) { to.av.dmac[0] = 1; }, VRNIC_WC_LOC_QP_OP_ERR},
        {"QPN", [](auto&, auto& to) { to.qpn = 1u << 24; }, VRNIC_WC_LOC_QP_OP_ERR},
        {"a group's QPN to one", [](auto&, auto& to) { to.qpn = VRNIC_MULTICAST_QPN; },
         VRNIC_WC_LOC_QP_OP_ERR},
        {"a group, and not its QPN",
         [](auto&, auto& to) {
             set_group(to);
             to.qpn = 1;
         },
         VRNIC_WC_LOC_QP_OP_ERR},
        {"reserved", [](auto&, auto& to) { to.reserved = std::uint64_t{1}; },
         VRNIC_WC_LOC_QP_OP_ERR},
        {"WRITE", [](auto& entry, auto&) { entry.opcode = VRNIC_OP_WRITE; },
         VRNIC_WC_LOC_QP_OP_ERR},
        {"key", [](auto& entry, auto&) { entry.sge[0].lkey = entry.sge[0].lkey + 1; }, VRNIC_WC_LOC_PROT_ERR},
        {"longer than the port's MTU", [](auto& entry, auto&) { entry.sge[0].length = 1025; },
         VRNIC_WC_LOC_LEN_ERR},
        {"list longer than the entry", [](auto& entry, auto&) { entry.num_sge = 4; },
         VRNIC_WC_LOC_QP_OP_ERR},
    };
    for (const Bad& bad : kTable) {
        Connection c(kUd);
        auto entry = c.datagram_entry(VRNIC_OP_SEND, 0, 8);
        auto to = c.datagram_address();
        bad.change(entry, to);
        c.post_datagram(entry, to);
        const auto failed = c.poll();
        CAPTURE(bad.what);
        REQUIRE(failed.has_value());
        CHECK(unsigned(failed->status) == bad.status);
        CHECK(unsigned(c.state()) == VRNIC_QPS_SQE);
        CHECK(c.sent().empty());
    }
}

TEST_CASE("UD: the port's MTU bounds a datagram") {
    CHECK(datagram::mtu_of_port(1500, 4096) == 1024);
    CHECK(datagram::mtu_of_port(4200, 4096) == 4096);
    CHECK(datagram::mtu_of_port(9000, 4096) == 4096);
    CHECK(datagram::mtu_of_port(9000, 2048) == 2048);
    CHECK(datagram::mtu_of_port(68, 4096) == 256);
    Connection c(kUd);
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 1024), c.datagram_address());
    CHECK(c.only().packet.payload.size() == 1024);
    c.guest.set_port(VRNIC_PORT_UP, 9000);
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 4096), c.datagram_address());
    CHECK(c.only().packet.payload.size() == 4096);
}

TEST_CASE("UD: the header comes before the data") {
    Connection c(kUd);
    c.post_recv(0, 1000);
    auto fields = c.next(kSendOnlyImm);
    fields.immediate = {9, 8, 7, 6};
    const auto data = Connection::pattern(100);
    Path path = c.peer_path();
    path.traffic_class = 0x14;
    path.hop_limit = 9;
    const Frame frame = Connection::build(path, fields, data);
    c.deliver(frame);
    const auto done = c.poll();
    REQUIRE(done.has_value());
    CHECK(unsigned(done->status) == VRNIC_WC_SUCCESS);
    CHECK(unsigned(done->opcode) == VRNIC_OP_RECV_IMM);
    CHECK(done->byte_len == kGrh + 100);
    CHECK(done->src_qpn == kPeerQpn);
    CHECK(done->flags == (VRNIC_CQE_GRH | VRNIC_CQE_IMM));
    CHECK(unsigned(done->network_type) == 1);
    CHECK(std::equal(kPeerMac.begin(), kPeerMac.end(), done->smac));
    CHECK(c.holds(kGrh, data));
    // The IPv4 header, as it came, in the second half.
    const auto header = c.memory(20, 20);
    CHECK(std::equal(header.begin(), header.end(), frame.begin() + 14));
    CHECK(c.sent().empty());
}

TEST_CASE("UD: a wrong Q_Key, no entry, too small an entry: dropped and counted") {
    Connection c(kUd);
    SECTION("Q_Key") {
        c.post_recv(0, 1000);
        auto fields = c.next(kSendOnly);
        fields.qkey += 1;
        c.deliver(fields);
        CHECK(c.counters().roce_rx_bad_qkey == 1);
    }
    SECTION("no entry") {
        c.deliver(c.next(kSendOnly));
        CHECK(c.counters().roce_rx_no_receive == 1);
    }
    SECTION("too small: without room for the GRH") {
        c.post_recv(0, kGrh + 3);
        c.deliver(c.next(kSendOnly), Connection::pattern(4));
        CHECK(c.counters().roce_rx_no_receive == 1);
        CHECK_FALSE(c.poll().has_value());
        // It is there for the next one.
        c.deliver(c.next(kSendOnly), Connection::pattern(3));
        CHECK(c.poll().has_value());
    }
    SECTION("to another address") {
        c.post_recv(0, 1000);
        Path path = c.peer_path();
        path.destination[15] = 200;
        c.deliver(Connection::build(path, c.next(kSendOnly)));
        CHECK(c.counters().roce_rx_wrong_source == 1);
    }
    CHECK_FALSE(c.poll().has_value());
    CHECK(unsigned(c.state()) == VRNIC_QPS_RTS);
}

TEST_CASE("UD: any order of packet numbers is right") {
    Connection c(kUd);
    for (const std::uint32_t psn : {5u, 3u, 3u, 0xffffffu}) {
        c.post_recv(0, 1000);
        auto fields = c.next(kSendOnly);
        fields.psn = Psn(psn);
        c.deliver(fields);
        CHECK(c.poll().has_value());
    }
}

TEST_CASE("UD: to a QP of the same device") {
    Connection c(kUd);
    c.post_recv(500, 1000);
    auto to = c.datagram_address();
    std::copy(kGid.begin(), kGid.end(), to.av.dgid);
    std::copy(kMac.begin(), kMac.end(), to.av.dmac);
    to.qpn = c.qpn;
    c.fill(0, 64);
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 64), to);
    CHECK(c.sent().empty());
    CHECK(c.poll()->src_qpn + c.poll()->src_qpn == c.qpn);  // one of the two is the receive's
    CHECK(c.holds(500 + kGrh, Connection::pattern(64)));
}

TEST_CASE("multicast: addresses") {
    CHECK(is_multicast(kGroup));
    CHECK_FALSE(is_multicast(kGid));
    CHECK(multicast_mac(kGroup) == MacAddress{0x01, 0x00, 0x5e, 1, 2, 3});
    const Gid v6 = {0xff, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 2, 3, 4};
    CHECK(is_multicast(v6));
    CHECK(multicast_mac(v6) == MacAddress{0x33, 0x33, 0x81, 2, 3, 4});
    Gid high = kGroup;
    high[13] = 0x81;
    CHECK(unsigned(multicast_mac(high)[3]) == 1);
}

TEST_CASE("multicast: who is attached receives, and only he") {
    Connection c(kUd);
    c.post_recv(0, 1000);
    const auto packet = [&] {
        return Connection::build(group_path(c), c.next(kSendOnly), Connection::pattern(30));
    };
    c.deliver(packet());
    CHECK_FALSE(c.poll().has_value());
    CHECK(attach(c) == VRNIC_STATUS_OK);
    CHECK(attach(c) == VRNIC_STATUS_BUSY);
    c.deliver(packet());
    REQUIRE(c.poll().has_value());
    CHECK(c.holds(kGrh, Connection::pattern(30)));
    CHECK(attach(c, VRNIC_ADMIN_DETACH_MCAST) == VRNIC_STATUS_OK);
    CHECK(attach(c, VRNIC_ADMIN_DETACH_MCAST) == VRNIC_STATUS_NO_OBJECT);
    c.post_recv(0, 1000);
    c.deliver(packet());
    CHECK_FALSE(c.poll().has_value());
}

TEST_CASE("multicast: the sender is one of the group, unless it does not want that") {
    Connection c(kUd);
    auto fields = c.qp_fields();
    const bool blocks = GENERATE(false, true);
    if (blocks) fields.flags = VRNIC_QP_BLOCK_SELF_MCAST;
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    c.sq_pi = c.rq_pi = 0;
    c.guest.host.store(c.queues + Connection::kRecordOffset, vrnic_qp_dbrec{});
    c.qpn = Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields));
    c.to_init();
    c.to_rtr();
    c.to_rts();
    CHECK(attach(c) == VRNIC_STATUS_OK);
    c.post_recv(500, 1000);
    auto to = c.datagram_address();
    set_group(to);
    c.fill(0, 16);
    c.post_datagram(c.datagram_entry(VRNIC_OP_SEND, 0, 16), to);
    const Sent sent = c.only();  // on the wire, too
    CHECK(sent.packet.destination_mac == multicast_mac(kGroup));
    CHECK(sent.packet.destination_qp == VRNIC_MULTICAST_QPN);
    int completions = 0;
    while (c.poll()) ++completions;
    CHECK(completions == (blocks ? 1 : 2));
    CHECK(c.holds(500 + kGrh, Connection::pattern(16)) != blocks);
}

TEST_CASE("multicast: commands refuse what is no group and no UD queue pair") {
    Connection c(kUd);
    vrnic_cmd_mcast fields{};
    fields.qpn = c.qpn;
    std::copy(kGid.begin(), kGid.end(), fields.gid);
    CHECK(c.guest.submit(VRNIC_ADMIN_ATTACH_MCAST, fields).status == VRNIC_STATUS_INVALID);
    std::copy(kGroup.begin(), kGroup.end(), fields.gid);
    fields.qpn = c.qpn + 1;
    CHECK(c.guest.submit(VRNIC_ADMIN_ATTACH_MCAST, fields).status == VRNIC_STATUS_NO_OBJECT);
    Connection rc;
    CHECK(attach(rc) == VRNIC_STATUS_INVALID);
}

TEST_CASE("multicast: a destroyed queue pair is in no group") {
    Connection c(kUd);
    CHECK(attach(c) == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    c.deliver(Connection::build(group_path(c), c.next(kSendOnly)));
    CHECK(c.counters().roce_rx_unknown_qp == 0);  // not even steered to the transport
}

TEST_CASE("multicast: groups and their members are bounded") {
    MulticastGroups groups(2, 3);
    const auto group = [](std::uint8_t n) {
        Gid gid = kGroup;
        gid[15] = n;
        return gid;
    };
    for (std::uint32_t qpn = 0; qpn < 3; ++qpn) CHECK(groups.attach(group(1), qpn));
    CHECK(groups.attach(group(1), 9).error().status == VRNIC_STATUS_LIMIT);
    CHECK(groups.attach(group(2), 9));
    CHECK(groups.attach(group(3), 9).error().status == VRNIC_STATUS_LIMIT);
    groups.forget_qp(9);
    CHECK(groups.attach(group(3), 9));
    CHECK(groups.members(group(1)).size() == 3);
    CHECK(groups.members(group(2)).empty());
}
