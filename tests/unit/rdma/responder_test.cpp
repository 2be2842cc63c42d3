// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of a peer, one packet at a time (IBTA 9.7.4, 9.7.5).
#include "rdma/ack_coalescing.h"
#include "roce/checksum.h"
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

void check_nak(Connection& c, std::uint8_t syndrome, Psn psn) {
    const Sent nak = c.only();
    CHECK(unsigned(nak.opcode()) == kAcknowledge);
    CHECK(unsigned(nak.packet.syndrome) == syndrome);
    CHECK(nak.packet.psn == psn);
    CHECK(nak.packet.destination_qp == kPeerQpn);
}

// The request was refused for good.
void check_refused(Connection& c, std::uint8_t syndrome, Psn psn, std::uint32_t event) {
    check_nak(c, syndrome, psn);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    const auto told = c.event();
    REQUIRE(told.has_value());
    CHECK(told->type == event);
    CHECK(told->number == c.qpn);
    // Nothing more is taken.
    c.deliver(c.next_write(kWriteOnly, 0, 4), Connection::pattern(4));
    CHECK(c.sent().empty());
}

}  // namespace

TEST_CASE("a WRITE is placed and acknowledged") {
    Connection c;
    const auto data = Connection::pattern(300);
    c.deliver(c.next_write(kWriteFirst, 100, 300), {data.begin(), data.begin() + 256});
    auto first = c.sent();
    c.deliver(c.next(kWriteLast), {data.begin() + 256, data.end()});
    const Sent ack = c.only();
    CHECK(unsigned(ack.packet.syndrome) == kAckUnlimited);
    CHECK(ack.packet.psn == Psn(c.options.rq_psn + 1));
    CHECK(ack.packet.msn == 1);
    CHECK(c.holds(100, data));
    CHECK_FALSE(c.poll().has_value());
}

TEST_CASE("acknowledgements are sent when they are asked for") {
    Connection c;
    for (int i = 0; i < 3; ++i) {
        auto fields = c.next_write(kWriteOnly, 0, 4);
        fields.ack_request = i == 2;
        c.deliver(fields, Connection::pattern(4));
    }
    const Sent ack = c.only();
    CHECK(ack.packet.psn == Psn(c.options.rq_psn + 2));
    CHECK(ack.packet.msn == 3);
}

TEST_CASE("a SEND fills a receive entry") {
    Connection c;
    c.post_recv(0, 1000);
    const auto data = Connection::pattern(3 * kMtu);
    c.deliver(c.next(kSendFirst, false), {data.begin(), data.begin() + 256});
    c.deliver(c.next(kSendMiddle, false), {data.begin() + 256, data.begin() + 512});
    CHECK_FALSE(c.poll().has_value());
    auto last = c.next(kSendLastImm);
    last.immediate = {1, 2, 3, 4};
    last.solicited = true;
    c.deliver(last, {data.begin() + 512, data.end()});
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_SUCCESS);
    CHECK(unsigned(cqe->opcode) == VRNIC_OP_RECV_IMM);
    CHECK(cqe->byte_len == data.size());
    CHECK(cqe->flags == (VRNIC_CQE_IMM | VRNIC_CQE_SOLICITED));
    CHECK(cqe->imm == 0x04030201);
    CHECK(cqe->qpn == c.qpn);
    CHECK(cqe->wqe_index == 0);
    CHECK(c.holds(0, data));
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
}

TEST_CASE("messages without bytes") {
    Connection c;
    c.post_recv(0, 10);
    c.deliver(c.next(kSendOnly));
    REQUIRE(c.poll().has_value());
    SECTION("WRITE: the key does not matter") {
        auto fields = c.next_write(kWriteOnly, 0, 0);
        fields.rkey = 0xdead;
        c.sent();
        c.deliver(fields);
        CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
    }
    SECTION("READ") {
        c.sent();
        c.deliver(c.read_request(0, 0));
        const Sent response = c.only();
        CHECK(unsigned(response.opcode()) == kReadResponseOnly);
        CHECK(response.packet.payload.empty());
    }
}

TEST_CASE("a packet ahead gets one NAK, until the missing one comes") {
    Connection c;
    const Psn missing = c.expected;
    const auto lost = c.next_write(kWriteOnly, 0, 4);
    c.deliver(c.next_write(kWriteOnly, 8, 4), Connection::pattern(4));
    check_nak(c, kNakSequence, missing);
    c.deliver(c.next_write(kWriteOnly, 16, 4), Connection::pattern(4));
    CHECK(c.sent().empty());
    CHECK(c.holds(8, std::vector<std::byte>(4)));
    c.deliver(lost, Connection::pattern(4));
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
    // The next gap is a new one.
    const Psn again = Psn(missing.value() + 1);
    c.deliver(c.next_write(kWriteOnly, 16, 4), Connection::pattern(4));
    check_nak(c, kNakSequence, again);
    CHECK(c.counters().roce_out_of_sequence == 2);
}

TEST_CASE("duplicates are acknowledged again and not carried out again") {
    Connection c;
    c.post_recv(0, 100);
    const auto fields = c.next(kSendOnly);
    c.deliver(fields, Connection::pattern(50));
    c.sent();
    REQUIRE(c.poll().has_value());
    c.fill(0, 50, 99);
    c.deliver(fields, Connection::pattern(50));
    const Sent ack = c.only();
    CHECK(ack.packet.psn == fields.psn);
    CHECK(ack.packet.msn == 1);
    CHECK_FALSE(c.poll().has_value());
    CHECK(c.holds(0, Connection::pattern(50, 99)));
    CHECK(c.counters().roce_duplicate_requests == 1);
}

TEST_CASE("a READ is answered in packets of the path MTU") {
    Connection c;
    c.fill(64, 600);
    const auto request = c.read_request(64, 600);
    c.deliver(request);
    const auto responses = c.sent();
    REQUIRE(responses.size() == 3);
    constexpr unsigned kOpcodes[] = {kReadResponseFirst, kReadResponseMiddle, kReadResponseLast};
    std::vector<std::byte> data;
    for (unsigned i = 0; i < 3; ++i) {
        CHECK(unsigned(responses[i].opcode()) == kOpcodes[i]);
        CHECK(responses[i].packet.psn == request.psn + i);
        const auto payload = responses[i].packet.payload;
        data.insert(data.end(), payload.begin(), payload.end());
    }
    CHECK(data == Connection::pattern(600));
    // A packet after the READ has the PSN after the last response.
    c.deliver(c.next_write(kWriteOnly, 0, 4), Connection::pattern(4));
    CHECK(c.only().packet.psn == request.psn + 3);

    SECTION("asked for again, it is answered again, from where the peer says") {
        auto again = request;
        again.psn = request.psn + 1;
        again.address += kMtu;
        again.length -= kMtu;
        c.deliver(again);
        const auto repeated = c.sent();
        REQUIRE(repeated.size() == 2);
        CHECK(unsigned(repeated[0].opcode()) == kReadResponseFirst);
        CHECK(repeated[0].packet.psn == again.psn);
        CHECK(unsigned(repeated[1].opcode()) == kReadResponseLast);
        const auto payload = repeated[0].packet.payload;
        const auto all = Connection::pattern(600);
        CHECK(std::equal(payload.begin(), payload.end(), all.begin() + kMtu));
    }
}

TEST_CASE("an acknowledgement waits for the READ before it") {
    Connection c;
    c.guest.host.send_result = SendResult::paused;
    c.deliver(c.read_request(0, 600));
    c.deliver(c.next_write(kWriteOnly, 4096, 4), Connection::pattern(4));
    c.sent();
    c.guest.host.send_result = SendResult::sent;
    c.guest.engine.wire_ready();
    c.settle();
    CHECK(c.sent_opcodes() == std::vector<unsigned>{kReadResponseFirst, kReadResponseMiddle,
                                                    kReadResponseLast, kAcknowledge});
}

TEST_CASE("no receive entry: RNR NAK, and the message comes again") {
    Connection c;
    const auto fields = c.next(kSendOnly);
    c.deliver(fields, Connection::pattern(10));
    check_nak(c, kAethRnrNak | c.options.min_rnr_timer, fields.psn);
    CHECK(c.counters().roce_rnr_nak_sent == 1);
    // Packets behind it are dropped without a word.
    c.deliver(c.next(kSendOnly), Connection::pattern(10));
    CHECK(c.sent().empty());
    c.post_recv(0, 10);
    c.deliver(fields, Connection::pattern(10));
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
    CHECK(c.poll().has_value());
}

TEST_CASE("WRITE with immediate needs a receive entry only at its end") {
    Connection c;
    const auto data = Connection::pattern(300);
    c.deliver(c.next_write(kWriteFirst, 0, 300), {data.begin(), data.begin() + 256});
    c.sent();
    auto last = c.next(kWriteLastImm);
    last.immediate = {0xa, 0xb, 0xc, 0xd};
    c.deliver(last, {data.begin() + 256, data.end()});
    check_nak(c, kAethRnrNak | c.options.min_rnr_timer, last.psn);
    c.post_recv(vrnic_rqe{});
    c.deliver(last, {data.begin() + 256, data.end()});
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->opcode) == VRNIC_OP_RECV_WRITE_IMM);
    CHECK(cqe->byte_len == 300);
    CHECK(cqe->imm == 0x0d0c0b0a);
    CHECK(c.holds(0, data));
}

TEST_CASE("invalid requests get a NAK, an event and end the connection") {
    Connection c;
    const Psn psn = c.expected;
    SECTION("middle without first") {
        c.deliver(c.next(kSendMiddle), Connection::pattern(kMtu));
    }
    SECTION("last without first") {
        c.deliver(c.next(kWriteLast), Connection::pattern(10));
    }
    SECTION("first shorter than the path MTU") {
        c.deliver(c.next_write(kWriteFirst, 0, 600), Connection::pattern(kMtu - 4));
    }
    SECTION("longer than the path MTU") {
        c.deliver(c.next_write(kWriteOnly, 0, kMtu + 4), Connection::pattern(kMtu + 4));
    }
    SECTION("less than the length that was announced") {
        c.deliver(c.next_write(kWriteOnly, 0, 100), Connection::pattern(96));
    }
    SECTION("more than the length that was announced") {
        c.deliver(c.next_write(kWriteOnly, 0, 100), Connection::pattern(104));
    }
    SECTION("a READ of more than 2^31 bytes") {
        c.deliver(c.next_write(kReadRequest, 0, 0x80000001u));
    }
    SECTION("an atomic at a QP that permits none") {
        auto frame = Connection::build(c.peer_path(), c.next(kSendOnly), Connection::pattern(28));
        frame[14 + 20 + 8] = std::byte{kCompareSwap};
        const auto crc = icrc(std::span(frame).subspan(14, frame.size() - 18));
        for (std::size_t i = 0; i < 4; ++i)
            frame[frame.size() - 4 + i] = static_cast<std::byte>(crc >> (8 * i));
        c.deliver(frame);
    }
    check_refused(c, kNakInvalidRequest, psn, VRNIC_EVENT_QP_REQ_ERROR);
}

TEST_CASE("a new message in the middle of another is invalid") {
    Connection c;
    c.post_recv(0, 1000);
    c.deliver(c.next(kSendFirst, false), Connection::pattern(kMtu));
    c.sent();
    const Psn psn = c.expected;
    SECTION("another first") {
        c.deliver(c.next(kSendFirst), Connection::pattern(kMtu));
    }
    SECTION("an only") {
        c.deliver(c.next(kSendOnly), Connection::pattern(4));
    }
    SECTION("a last of the other kind") {
        c.deliver(c.next(kWriteLast), Connection::pattern(4));
    }
    SECTION("a READ") {
        c.deliver(c.read_request(0, 4));
    }
    check_refused(c, kNakInvalidRequest, psn, VRNIC_EVENT_QP_REQ_ERROR);
    // The entry that was in use is flushed.
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_WR_FLUSH_ERR);
}

TEST_CASE("what the QP is not open for is invalid") {
    ConnectionOptions options;
    options.access = VRNIC_ACCESS_LOCAL_WRITE;
    Connection c(options);
    const Psn psn = c.expected;
    SECTION("WRITE") {
        c.deliver(c.next_write(kWriteOnly, 0, 4), Connection::pattern(4));
    }
    SECTION("READ") {
        c.deliver(c.read_request(0, 4));
    }
    check_refused(c, kNakInvalidRequest, psn, VRNIC_EVENT_QP_REQ_ERROR);
}

TEST_CASE("a bad key gets a remote access NAK and nothing is written") {
    Connection c;
    const Psn psn = c.expected;
    SECTION("unknown key") {
        auto fields = c.next_write(kWriteOnly, 0, 4);
        fields.rkey ^= 0x10;
        c.deliver(fields, Connection::pattern(4));
    }
    SECTION("past the end") {
        c.deliver(c.next_write(kWriteOnly, kRegionSize - 2, 4), Connection::pattern(4));
    }
    SECTION("before the beginning") {
        auto fields = c.next_write(kWriteOnly, 0, 4);
        fields.address -= 1;
        c.deliver(fields, Connection::pattern(4));
    }
    SECTION("an address that wraps") {
        auto fields = c.next_write(kWriteOnly, 0, 4);
        fields.address = ~std::uint64_t{1};
        c.deliver(fields, Connection::pattern(4));
    }
    SECTION("the end of the whole message counts, in its first packet") {
        c.deliver(c.next_write(kWriteFirst, kRegionSize - kMtu, 2 * kMtu),
                  Connection::pattern(kMtu));
    }
    SECTION("no right to write") {
        const auto other =
            c.register_region(c.region, kIova, 4096, VRNIC_ACCESS_LOCAL_WRITE, c.pdn);
        auto fields = c.next_write(kWriteOnly, 0, 4);
        fields.rkey = other;
        c.deliver(fields, Connection::pattern(4));
    }
    SECTION("another protection domain") {
        const auto pdn = Guest::handle(c.guest.submit_empty(VRNIC_ADMIN_ALLOC_PD));
        auto fields = c.next_write(kWriteOnly, 0, 4);
        fields.rkey = c.register_region(c.region, kIova, 4096, kAccess, pdn);
        c.deliver(fields, Connection::pattern(4));
    }
    SECTION("READ") {
        auto fields = c.read_request(0, 4);
        fields.rkey ^= 0x10;
        c.deliver(fields);
    }
    CHECK(c.holds(kRegionSize - kMtu, std::vector<std::byte>(kMtu)));
    CHECK(c.holds(0, std::vector<std::byte>(16)));
    check_refused(c, kNakRemoteAccess, psn, VRNIC_EVENT_QP_ACCESS_ERROR);
}

TEST_CASE("a message longer than the receive entry") {
    Connection c;
    c.post_recv(0, 10);
    const auto fields = c.next(kSendOnly);
    c.deliver(fields, Connection::pattern(12));
    check_nak(c, kNakInvalidRequest, fields.psn);
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_LOC_LEN_ERR);
    CHECK(cqe->syndrome == VRNIC_SYND_TOO_LONG);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    CHECK(c.holds(0, std::vector<std::byte>(16)));
}

TEST_CASE("receive entries that are wrong fail as what they are") {
    Connection c;
    vrnic_rqe entry{};
    entry.num_sge = 1;
    entry.sge[0] = c.sge(0, 100);
    unsigned status = 0;
    SECTION("more entries than fit") {
        entry.num_sge = 4;
        status = VRNIC_WC_LOC_QP_OP_ERR;
    }
    SECTION("a bad key") {
        entry.sge[0].lkey = 0x1234;
        status = VRNIC_WC_LOC_PROT_ERR;
    }
    SECTION("memory that is not there") {
        c.guest.host.hole = c.region;
        status = VRNIC_WC_LOC_PROT_ERR;
    }
    c.post_recv(entry);
    const auto fields = c.next(kSendOnly);
    c.deliver(fields, Connection::pattern(10));
    c.guest.host.hole = 0;
    check_nak(c, kNakOperational, fields.psn);
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == status);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("memory that the bus refuses is told, not answered with zeros") {
    Connection c;
    c.guest.host.hole = c.region;
    const Psn psn = c.expected;
    SECTION("WRITE") {
        c.deliver(c.next_write(kWriteOnly, 0, 4), Connection::pattern(4));
    }
    SECTION("READ") {
        c.deliver(c.read_request(0, 4));
    }
    CHECK(c.counters().dma_errors != 0);
    check_refused(c, kNakOperational, psn, VRNIC_EVENT_QP_FATAL);
}

TEST_CASE("more READs than agreed are invalid") {
    ConnectionOptions options;
    options.max_dest_rd_atomic = 2;
    Connection c(options);
    c.guest.host.send_result = SendResult::paused;
    c.deliver(c.read_request(0, 4));
    c.deliver(c.read_request(0, 4));
    const auto third = c.read_request(0, 4);
    c.deliver(third);
    c.sent();
    c.guest.host.send_result = SendResult::sent;
    c.guest.engine.wire_ready();
    c.settle();
    // Those before it are answered all the same.
    const auto all = c.sent();
    REQUIRE(all.size() == 3);
    CHECK(unsigned(all[0].opcode()) == kReadResponseOnly);
    CHECK(unsigned(all[1].opcode()) == kReadResponseOnly);
    CHECK(unsigned(all[2].packet.syndrome) == kNakInvalidRequest);
    CHECK(all[2].packet.psn == third.psn);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("answers to a stream of READs wait until the peer may have no more of them") {
    ConnectionOptions options;
    options.max_dest_rd_atomic = 4;
    Connection c(options);
    for (int i = 0; i < 64; ++i) c.deliver(c.next_write(kWriteOnly, 0, 4), Connection::pattern(4));
    c.sent();
    SECTION("short ones") {
        for (int i = 0; i < 3; ++i) c.deliver(c.read_request(0, kMtu));
        CHECK(c.sent().empty());
        c.deliver(c.read_request(0, kMtu));
        CHECK(c.sent().size() == 4);
    }
    SECTION("the pause of the stream ends it") {
        c.deliver(c.read_request(0, kMtu));
        CHECK(c.sent().empty());
        c.pass(AckCoalescing::kPause);
        CHECK(c.sent().size() == 1);
    }
    SECTION("long ones do not wait") {
        c.deliver(c.read_request(0, kMtu + 1));
        CHECK(c.sent().size() == 2);
    }
}

TEST_CASE("a region that goes away during a READ") {
    Connection c;
    c.guest.host.send_result = SendResult::paused;
    const auto request = c.read_request(0, 600);
    c.deliver(request);
    c.sent();
    c.guest.submit_handle(VRNIC_ADMIN_DEREG_MR, c.key);
    c.guest.host.send_result = SendResult::sent;
    c.guest.engine.wire_ready();
    c.settle();
    check_nak(c, kNakRemoteAccess, request.psn);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("the first packet in RTR is an event, once") {
    ConnectionOptions options;
    options.rts = false;
    Connection c(options);
    for (int i = 0; i < 2; ++i) c.deliver(c.next_write(kWriteOnly, 0, 4), Connection::pattern(4));
    const auto told = c.event();
    REQUIRE(told.has_value());
    CHECK(told->type == VRNIC_EVENT_QP_COMM_EST);
    CHECK_FALSE(c.event().has_value());
    CHECK(c.sent().size() == 2);
}

TEST_CASE("packets that are not of this connection are counted and dropped") {
    Connection c;
    roce::Path path = c.peer_path();
    PacketFields fields = c.next_write(kWriteOnly, 0, 4);
    const std::uint64_t* counter = nullptr;
    SECTION("unknown QP") {
        path.destination_qp += 1;
        counter = &c.counters().roce_rx_unknown_qp;
    }
    SECTION("QP 0") {
        path.destination_qp = 0;
        counter = &c.counters().roce_rx_unknown_qp;
    }
    SECTION("source address") {
        path.source[15] ^= 1;
        counter = &c.counters().roce_rx_wrong_source;
    }
    SECTION("destination address") {
        path.destination[15] ^= 8;
        counter = &c.counters().roce_rx_wrong_source;
    }
    SECTION("VLAN") {
        path.has_vlan = true;
        path.vlan = 5;
        counter = &c.counters().roce_rx_wrong_source;
    }
    auto frame = Connection::build(path, fields, Connection::pattern(4));
    SECTION("partition") {
        frame[14 + 20 + 8 + 2] = std::byte{0x12};
        const auto crc = icrc(std::span(frame).subspan(14, frame.size() - 18));
        for (std::size_t i = 0; i < 4; ++i)
            frame[frame.size() - 4 + i] = static_cast<std::byte>(crc >> (8 * i));
        counter = &c.counters().roce_rx_bad_pkey;
    }
    SECTION("ICRC") {
        frame.back() ^= std::byte{1};
        counter = &c.counters().roce_rx_bad_icrc;
    }
    SECTION("the QP is not ready") {
        c.modify(VRNIC_QPS_RESET, VRNIC_QP_STATE);
        counter = &c.counters().roce_rx_bad_state;
    }
    REQUIRE(counter != nullptr);
    c.deliver(frame);
    CHECK(*counter == 1);
    CHECK(c.sent().empty());
    CHECK(c.holds(0, std::vector<std::byte>(4)));
}

TEST_CASE("a completion queue that is full ends the connection") {
    ConnectionOptions options;
    options.cq_log_size = 0;
    Connection c(options);
    c.post_recv(0, 10);
    c.post_recv(0, 10);
    c.deliver(c.next(kSendOnly), Connection::pattern(4));
    c.sent();
    const auto second = c.next(kSendOnly);
    c.deliver(second, Connection::pattern(4));
    check_nak(c, kNakOperational, second.psn);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    bool cq_error = false;
    while (const auto told = c.event()) cq_error |= told->type == VRNIC_EVENT_CQ_ERROR;
    CHECK(cq_error);
}

TEST_CASE("an acknowledgement that waits for others goes out before its queue pair ends") {
    Connection c;
    // Not settled: the host has not had its next turn.
    c.guest.engine.receive_frame(
        Connection::build(c.peer_path(), c.next_write(kWriteOnly, 0, 4), Connection::pattern(4)));
    REQUIRE(c.sent().empty());
    SECTION("by destroying it") {
        CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    }
    SECTION("in ERR") {
        c.modify(VRNIC_QPS_ERR, VRNIC_QP_STATE);
    }
    SECTION("in RESET") {
        c.modify(VRNIC_QPS_RESET, VRNIC_QP_STATE);
    }
    CHECK(c.only().packet.psn == Psn(c.options.rq_psn));
}

TEST_CASE("answers to READs that wait go out before their queue pair ends") {
    Connection c;
    c.guest.engine.receive_frame(Connection::build(c.peer_path(), c.read_request(0, 4)));
    c.guest.engine.receive_frame(
        Connection::build(c.peer_path(), c.next_write(kWriteOnly, 0, 4), Connection::pattern(4)));
    REQUIRE(c.sent().empty());
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    CHECK(c.sent_opcodes() == std::vector<unsigned>{kReadResponseOnly, kAcknowledge});
}
