// SPDX-License-Identifier: GPL-2.0-or-later
// UC: whole messages or none, and no answers (IBTA 9.8.2).
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

constexpr ConnectionOptions kUc = {.type = VRNIC_QPT_UC};

std::uint8_t uc(Opcode opcode) {
    return with_service(Service::uc, opcode);
}

std::vector<std::byte> part(const std::vector<std::byte>& data, std::uint32_t packet) {
    const auto begin = data.begin() + packet * kMtu;
    return {begin, std::min(begin + kMtu, data.end())};
}

}  // namespace

TEST_CASE("UC: a message goes out in packets of its service and is done at once") {
    Connection c(kUc);
    c.fill(0, 600);
    c.post_send(c.send_entry(VRNIC_OP_SEND_IMM, 0, 600));
    const auto sent = c.sent();
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].opcode() == uc(kSendFirst));
    CHECK(sent[1].opcode() == uc(kSendMiddle));
    CHECK(sent[2].opcode() == uc(kSendLastImm));
    for (std::uint32_t i = 0; i < 3; ++i) {
        CHECK(sent[i].packet.psn == Psn(c.options.sq_psn + i));
        CHECK_FALSE(sent[i].packet.ack_request);
    }
    const auto done = c.poll();
    REQUIRE(done.has_value());
    CHECK(unsigned(done->status) == VRNIC_WC_SUCCESS);
    CHECK(c.guest.host.timer == kNever);
}

TEST_CASE("UC: far more than a window is sent without an answer") {
    Connection c(kUc);
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 64 * 1024));
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 64 * 1024));
    CHECK(c.sent().size() == 2 * 64 * 1024 / kMtu);
    CHECK(c.poll().has_value());
    CHECK(c.poll().has_value());
}

TEST_CASE("UC: SEND and WRITE are placed, nothing is answered") {
    Connection c(kUc);
    const auto data = Connection::pattern(600);
    c.post_recv(0, 1000);
    c.deliver(c.next(kSendFirst), part(data, 0));
    c.deliver(c.next(kSendMiddle), part(data, 1));
    CHECK_FALSE(c.poll().has_value());
    c.deliver(c.next(kSendLast), part(data, 2));
    const auto done = c.poll();
    REQUIRE(done.has_value());
    CHECK(done->byte_len == 600);
    CHECK(c.holds(0, data));

    c.deliver(c.next_write(kWriteOnly, 4000, 100), Connection::pattern(100, 9));
    CHECK(c.holds(4000, Connection::pattern(100, 9)));
    CHECK(c.sent().empty());
    CHECK_FALSE(c.event().has_value());
}

TEST_CASE("UC: a gap drops the message, and its entry serves the next one") {
    Connection c(kUc);
    const auto data = Connection::pattern(600);
    c.post_recv(0, 1000);
    c.deliver(c.next(kSendFirst), part(data, 0));
    ++c.expected;
    c.deliver(c.next(kSendLast), part(data, 2));
    CHECK_FALSE(c.poll().has_value());
    CHECK(c.counters().roce_rx_dropped_messages == 1);

    // Whatever number it has, a first packet begins a message.
    c.expected = c.expected + 1000;
    c.deliver(c.next(kSendOnly), Connection::pattern(10, 3));
    const auto done = c.poll();
    REQUIRE(done.has_value());
    CHECK(done->wqe_index == 0);
    CHECK(done->byte_len == 10);
    CHECK(c.holds(0, Connection::pattern(10, 3)));
}

TEST_CASE("UC: a first packet in the middle of a message drops that and begins anew") {
    Connection c(kUc);
    c.post_recv(0, 1000);
    c.deliver(c.next(kSendFirst), Connection::pattern(kMtu));
    c.deliver(c.next(kSendOnly), Connection::pattern(20, 5));
    REQUIRE(c.poll().has_value());
    CHECK(c.holds(0, Connection::pattern(20, 5)));
    CHECK(c.counters().roce_rx_dropped_messages == 1);
}

TEST_CASE("UC: what the peer may not do, or finds no entry, is dropped and harms nothing") {
    Connection c(kUc);
    SECTION("no entry") {
        c.deliver(c.next(kSendOnly), Connection::pattern(4));
    }
    SECTION("a bad key") {
        auto write = c.next_write(kWriteOnly, 0, 4);
        write.rkey += 1;
        c.deliver(write, Connection::pattern(4));
    }
    SECTION("out of bounds") {
        c.deliver(c.next_write(kWriteOnly, kRegionSize - 3, 4), Connection::pattern(4));
    }
    SECTION("a middle packet that is too short") {
        c.post_recv(0, 1000);
        c.deliver(c.next(kSendFirst), Connection::pattern(kMtu));
        c.deliver(c.next(kSendMiddle), Connection::pattern(kMtu - 1));
        CHECK_FALSE(c.poll().has_value());
    }
    CHECK(c.counters().roce_rx_dropped_messages == 1);
    CHECK(c.sent().empty());
    CHECK(unsigned(c.state()) == VRNIC_QPS_RTS);
    CHECK_FALSE(c.event().has_value());
}

TEST_CASE("UC: a message that is longer than its entry fails that, and the QP") {
    Connection c(kUc);
    c.post_recv(0, 10);
    c.deliver(c.next(kSendOnly), Connection::pattern(11));
    const auto failed = c.poll();
    REQUIRE(failed.has_value());
    CHECK(unsigned(failed->status) == VRNIC_WC_LOC_LEN_ERR);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("UC: opcodes of RC are not for it, nor READs and atomics") {
    Connection c(kUc);
    auto path = c.peer_path();
    path.service = Service::rc;
    c.deliver(Connection::build(path, c.next(kSendOnly)));
    CHECK(c.counters().roce_rx_bad_opcode == 1);
    for (const unsigned opcode : {VRNIC_OP_READ, VRNIC_OP_FETCH_ADD, VRNIC_OP_SEND_INV,
                                  VRNIC_OP_LOCAL_INV, VRNIC_OP_ATOMIC_WRITE, VRNIC_OP_FLUSH}) {
        Connection other(kUc);
        other.post_send(other.send_entry(static_cast<std::uint8_t>(opcode), 0, 8));
        const auto failed = other.poll();
        CAPTURE(opcode);
        REQUIRE(failed.has_value());
        CHECK(unsigned(failed->status) == VRNIC_WC_LOC_QP_OP_ERR);
        CHECK(unsigned(other.state()) == VRNIC_QPS_SQE);
    }
}

TEST_CASE("UC: a send that fails stops the send queue only, until RTS is asked for again") {
    Connection c(kUc);
    auto bad = c.send_entry(VRNIC_OP_SEND, 0, 8);
    bad.sge[0].lkey = c.key + 1;
    c.post_send(bad);
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 8));
    auto first = c.poll();
    auto second = c.poll();
    REQUIRE(second.has_value());
    CHECK(unsigned(first->status) == VRNIC_WC_LOC_PROT_ERR);
    CHECK(unsigned(second->status) == VRNIC_WC_WR_FLUSH_ERR);
    CHECK(unsigned(c.state()) == VRNIC_QPS_SQE);
    CHECK(c.sent().empty());

    // Receives go on, sends are flushed.
    c.post_recv(0, 100);
    c.deliver(c.next(kSendOnly), Connection::pattern(4));
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_SUCCESS);
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 8));
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_WR_FLUSH_ERR);

    c.modify(VRNIC_QPS_RTS, VRNIC_QP_STATE);
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 8));
    CHECK(c.only().opcode() == uc(kSendOnly));
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_SUCCESS);
}
