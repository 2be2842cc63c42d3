// SPDX-License-Identifier: GPL-2.0-or-later
// What the device sends for its own requests, and what it makes of the answers
// (IBTA 9.7.3, 9.7.5.2).
#include "rdma/completer.h"
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

std::vector<std::byte> payload_of(const Sent& sent) {
    return {sent.packet.payload.begin(), sent.packet.payload.end()};
}

void check_completion(Connection& c, unsigned status, std::uint32_t index, unsigned opcode) {
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == status);
    CHECK(cqe->wqe_index == index);
    CHECK((cqe->flags & VRNIC_CQE_SEND_QUEUE) != 0);
    if (status == VRNIC_WC_SUCCESS) CHECK(unsigned(cqe->opcode) == opcode);
}

PacketFields read_response(Opcode opcode, Psn psn) {
    PacketFields fields;
    fields.opcode = opcode;
    fields.psn = psn;
    fields.syndrome = kAckUnlimited;
    return fields;
}

void check_fatal(Connection& c, std::uint32_t reason) {
    const auto told = c.event();
    REQUIRE(told.has_value());
    CHECK(told->type == VRNIC_EVENT_QP_FATAL);
    CHECK(told->code == reason);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

Psn first_psn(const Connection& c) {
    return Psn(c.options.sq_psn);
}

}  // namespace

TEST_CASE("a message is cut to the path MTU and completes when it is acknowledged") {
    Connection c;
    c.fill(0, 600);
    auto entry = c.send_entry(VRNIC_OP_WRITE_IMM, 0, 600);
    entry.flags = VRNIC_SQE_SIGNALED | VRNIC_SQE_SOLICITED;
    entry.imm = 0x04030201;
    c.post_send(entry);
    const auto packets = c.sent();
    REQUIRE(packets.size() == 3);
    constexpr unsigned kOpcodes[] = {kWriteFirst, kWriteMiddle, kWriteLastImm};
    std::vector<std::byte> data;
    for (unsigned i = 0; i < 3; ++i) {
        const Packet& packet = packets[i].packet;
        CHECK(unsigned(packets[i].opcode()) == kOpcodes[i]);
        CHECK(packet.psn == first_psn(c) + i);
        CHECK(packet.ack_request == (i == 2));
        CHECK(packet.solicited == (i == 2));
        CHECK(packet.destination_qp == kPeerQpn);
        CHECK(packet.destination_mac == kPeerMac);
        CHECK(packet.source == kGid);
        CHECK(packet.destination == kPeerGid);
        const auto payload = payload_of(packets[i]);
        data.insert(data.end(), payload.begin(), payload.end());
    }
    CHECK(packets[0].packet.address == 0x9000);
    CHECK(packets[0].packet.rkey == 0x4242);
    CHECK(packets[0].packet.length == 600);
    CHECK(packets[2].packet.immediate == std::array<std::uint8_t, 4>{1, 2, 3, 4});
    CHECK(data == Connection::pattern(600));

    CHECK_FALSE(c.poll().has_value());
    c.acknowledge(first_psn(c) + 1);  // not all of it
    CHECK_FALSE(c.poll().has_value());
    c.acknowledge(first_psn(c) + 2);
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_WRITE_IMM);
    CHECK_FALSE(c.poll().has_value());
}

TEST_CASE("one acknowledgement completes all before it, in order; silent ones stay silent") {
    Connection c;
    for (int i = 0; i < 4; ++i) {
        auto entry = c.send_entry(VRNIC_OP_SEND, 0, 10);
        if (i == 1) entry.flags = 0;
        c.post_send(entry);
    }
    CHECK(c.sent().size() == 4);
    c.acknowledge(first_psn(c) + 2);
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_SEND);
    check_completion(c, VRNIC_WC_SUCCESS, 2, VRNIC_OP_SEND);
    CHECK_FALSE(c.poll().has_value());
    c.acknowledge(first_psn(c) + 2);  // once more: nothing
    CHECK_FALSE(c.poll().has_value());
    c.acknowledge(first_psn(c) + 3);
    check_completion(c, VRNIC_WC_SUCCESS, 3, VRNIC_OP_SEND);
}

TEST_CASE("acknowledgements of what was never sent are ignored") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    c.sent();
    c.acknowledge(first_psn(c) + 1);
    c.acknowledge(first_psn(c) + Psn::kMask);
    c.acknowledge(first_psn(c) + 1, kNakRemoteAccess);
    CHECK_FALSE(c.poll().has_value());
    CHECK(unsigned(c.state()) == VRNIC_QPS_RTS);
}

TEST_CASE("without an acknowledgement the packets are sent again, then the request fails") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 300));
    const auto first = c.sent();
    REQUIRE(first.size() == 2);
    const Nanoseconds timeout = Nanoseconds{4096} << c.options.timeout;
    const Nanoseconds start = c.guest.host.time;
    for (unsigned retry = 0; retry < c.options.retry_cnt; ++retry) {
        const Nanoseconds before = c.guest.host.time;
        while (c.guest.host.frames.empty()) REQUIRE(c.pass_timer());
        CHECK(c.guest.host.time - before >= timeout);
        CHECK(c.guest.host.time - before <= 4 * timeout);
        const auto again = c.sent();
        REQUIRE(again.size() == 2);
        CHECK(again[0].frame == first[0].frame);
        CHECK(again[1].frame == first[1].frame);
        CHECK_FALSE(c.poll().has_value());
    }
    c.pass(4 * timeout);
    CHECK(c.sent().empty());
    CHECK(c.guest.host.time > start);
    check_completion(c, VRNIC_WC_RETRY_EXC_ERR, 0, 0);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    CHECK(c.counters().roce_retry_exceeded == 1);
    CHECK(c.counters().roce_local_ack_timeouts == c.options.retry_cnt + 1u);
}

TEST_CASE("a timer that comes late counts only when it does so again") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 300));
    REQUIRE(c.sent().size() == 2);
    constexpr Nanoseconds stall = 1'000'000'000;  // the host did not let the device run
    c.guest.host.time += stall;
    REQUIRE(c.pass_timer());
    CHECK(c.sent().empty());
    CHECK(c.counters().roce_local_ack_timeouts == 0);
    c.guest.host.time += stall;
    while (c.guest.host.frames.empty()) REQUIRE(c.pass_timer());
    CHECK(c.sent().size() == 2);
    CHECK(c.counters().roce_local_ack_timeouts == 1);
}

TEST_CASE("timeout 0 waits for ever, and an acknowledgement stops the timer") {
    ConnectionOptions options;
    options.timeout = 0;
    Connection c(options);
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    CHECK(c.guest.host.timer == kNever);
}

TEST_CASE("retries are counted anew after each progress") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 600));
    c.sent();
    for (unsigned i = 0; i < 2; ++i) {
        for (unsigned retry = 0; retry < c.options.retry_cnt; ++retry) {
            while (c.guest.host.frames.empty()) REQUIRE(c.pass_timer());
            CHECK(c.sent().size() == 3 - i);
        }
        c.acknowledge(first_psn(c) + i);
    }
    CHECK(unsigned(c.state()) == VRNIC_QPS_RTS);
    c.acknowledge(first_psn(c) + 2);
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_WRITE);
    c.pass(1'000'000'000);
    CHECK(c.sent().empty());
}

TEST_CASE("a sequence NAK goes back to its PSN and acknowledges what is before it") {
    Connection c;
    for (int i = 0; i < 3; ++i) c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 300));
    CHECK(c.sent().size() == 6);
    c.acknowledge(first_psn(c) + 3, kNakSequence);
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_WRITE);
    CHECK_FALSE(c.poll().has_value());
    const auto again = c.sent();
    REQUIRE(again.size() == 3);
    CHECK(again[0].packet.psn == first_psn(c) + 3);
    CHECK(unsigned(again[0].opcode()) == kWriteLast);
    CHECK(unsigned(again[1].opcode()) == kWriteFirst);
    CHECK(c.counters().roce_packet_seq_err == 1);
    CHECK(c.counters().roce_retransmitted_packets == 3);
}

TEST_CASE("NAKs that are final end the request with their status and flush the rest") {
    struct Row {
        std::uint8_t syndrome;
        unsigned status;
        unsigned reason;
    };
    const auto row = GENERATE(values<Row>({
        {kNakInvalidRequest, VRNIC_WC_REM_INV_REQ_ERR, VRNIC_SYND_NAK_INVALID},
        {kNakRemoteAccess, VRNIC_WC_REM_ACCESS_ERR, VRNIC_SYND_NAK_ACCESS},
        {kNakOperational, VRNIC_WC_REM_OP_ERR, VRNIC_SYND_NAK_OPERATIONAL},
        {kNakOperational + 5, VRNIC_WC_BAD_RESP_ERR, VRNIC_SYND_BAD_RESPONSE},
    }));
    Connection c;
    c.post_recv(0, 10);
    auto silent = c.send_entry(VRNIC_OP_SEND, 0, 10);
    silent.flags = 0;
    for (int i = 0; i < 3; ++i) c.post_send(silent);
    c.sent();
    c.acknowledge(first_psn(c) + 1, row.syndrome);
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == row.status);
    CHECK(cqe->syndrome == row.reason);
    CHECK(cqe->wqe_index == 1);
    check_completion(c, VRNIC_WC_WR_FLUSH_ERR, 2, 0);
    const auto flushed = c.poll();
    REQUIRE(flushed.has_value());
    CHECK(unsigned(flushed->status) == VRNIC_WC_WR_FLUSH_ERR);
    CHECK((flushed->flags & VRNIC_CQE_SEND_QUEUE) == 0);
    // What is posted later is flushed, too.
    c.post_send(silent);
    check_completion(c, VRNIC_WC_WR_FLUSH_ERR, 3, 0);
    c.post_recv(0, 10);
    CHECK(c.poll().has_value());
    CHECK(c.sent().empty());
}

TEST_CASE("an RNR NAK waits as long as it says, then tries again, so often") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    c.sent();
    for (unsigned i = 0; i < c.options.rnr_retry; ++i) {
        const Nanoseconds before = c.guest.host.time;
        c.acknowledge(first_psn(c), kAethRnrNak | 14);
        c.acknowledge(first_psn(c), kNakSequence);  // does not cut it short
        CHECK(c.sent().empty());
        while (c.guest.host.frames.empty()) REQUIRE(c.pass_timer());
        CHECK(c.guest.host.time - before >= 1'280'000);
        CHECK(c.sent().size() == 1);
    }
    c.acknowledge(first_psn(c), kAethRnrNak | 14);
    check_completion(c, VRNIC_WC_RNR_RETRY_EXC_ERR, 0, 0);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    CHECK(c.counters().roce_rnr_nak_received == c.options.rnr_retry + 1u);
}

TEST_CASE("a sequence error behind an RNR NAK costs no retry, until there is progress again") {
    Connection c;
    for (int i = 0; i < 4; ++i) c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 8));
    const Psn first(c.options.sq_psn);
    c.sent();
    c.acknowledge(first, kAethRnrNak | 1);
    c.pass_timer();
    c.sent();
    for (int i = 0; i < 20; ++i) {
        c.acknowledge(first, kNakSequence);
        CHECK(c.sent().size() == 4);
    }
    CHECK_FALSE(c.poll().has_value());
    // As usual from then on.
    c.acknowledge(first);
    for (unsigned i = 0; i <= c.options.retry_cnt; ++i) c.acknowledge(first + 1, kNakSequence);
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_SUCCESS);
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_RETRY_EXC_ERR);
}

TEST_CASE("RNR retry 7 is for ever") {
    ConnectionOptions options;
    options.rnr_retry = 7;
    Connection c(options);
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    c.sent();
    for (unsigned i = 0; i < 40; ++i) {
        c.acknowledge(first_psn(c), kAethRnrNak | 1);
        while (c.guest.host.frames.empty()) REQUIRE(c.pass_timer());
        CHECK(c.sent().size() == 1);
    }
    c.acknowledge(first_psn(c));
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_SEND);
}

TEST_CASE("READ: responses in order fill the buffer, the last one completes") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_READ, 1000, 600));
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    const auto packets = c.sent();
    REQUIRE(packets.size() == 2);
    CHECK(unsigned(packets[0].opcode()) == kReadRequest);
    CHECK(packets[0].packet.address == 0x9000);
    CHECK(packets[0].packet.length == 600);
    CHECK(packets[1].packet.psn == first_psn(c) + 3);
    const auto data = Connection::pattern(600);
    const auto part = [&](std::uint32_t from, std::uint32_t to) {
        return std::vector<std::byte>(data.begin() + from, data.begin() + to);
    };
    c.deliver(read_response(kReadResponseFirst, first_psn(c)), part(0, 256));

    SECTION("in order") {
        c.deliver(read_response(kReadResponseMiddle, first_psn(c) + 1), part(256, 512));
        CHECK_FALSE(c.poll().has_value());
        c.deliver(read_response(kReadResponseLast, first_psn(c) + 2), part(512, 600));
        check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_READ);
        CHECK(c.sent().empty());
    }
    SECTION("one is missing: asked for from there, once") {
        c.deliver(read_response(kReadResponseLast, first_psn(c) + 2), part(512, 600));
        c.acknowledge(first_psn(c) + 3);
        CHECK_FALSE(c.poll().has_value());
        const auto again = c.sent();
        REQUIRE(again.size() == 2);
        CHECK(unsigned(again[0].opcode()) == kReadRequest);
        CHECK(again[0].packet.psn == first_psn(c) + 1);
        CHECK(again[0].packet.address == 0x9000 + 256);
        CHECK(again[0].packet.length == 344);
        c.deliver(read_response(kReadResponseFirst, first_psn(c) + 1), part(256, 512));
        c.deliver(read_response(kReadResponseLast, first_psn(c) + 2), part(512, 600));
        check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_READ);
    }
    SECTION("an acknowledgement of what comes after says that responses were lost") {
        c.acknowledge(first_psn(c) + 3);
        CHECK_FALSE(c.poll().has_value());
        const auto again = c.sent();
        REQUIRE(again.size() == 2);
        CHECK(again[0].packet.psn == first_psn(c) + 1);
        CHECK(c.counters().roce_implied_nak_seq_err == 1);
        c.deliver(read_response(kReadResponseFirst, first_psn(c) + 1), part(256, 512));
        c.deliver(read_response(kReadResponseLast, first_psn(c) + 2), part(512, 600));
        check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_READ);
    }
    CHECK(c.holds(1000, data));
    c.acknowledge(first_psn(c) + 3);
    check_completion(c, VRNIC_WC_SUCCESS, 1, VRNIC_OP_SEND);
}

TEST_CASE("a READ response acknowledges what was sent before it") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    c.post_send(c.send_entry(VRNIC_OP_READ, 0, 10));
    c.sent();
    c.deliver(read_response(kReadResponseOnly, first_psn(c) + 1), Connection::pattern(10));
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_SEND);
    check_completion(c, VRNIC_WC_SUCCESS, 1, VRNIC_OP_READ);
}

TEST_CASE("wrong READ responses are an error") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_READ, 0, 300));
    c.sent();
    SECTION("too short") {
        c.deliver(read_response(kReadResponseFirst, first_psn(c)), Connection::pattern(252));
    }
    SECTION("the end too early") {
        c.deliver(read_response(kReadResponseOnly, first_psn(c)), Connection::pattern(256));
    }
    SECTION("no end") {
        c.deliver(read_response(kReadResponseFirst, first_psn(c)), Connection::pattern(256));
        c.deliver(read_response(kReadResponseMiddle, first_psn(c) + 1), Connection::pattern(44));
    }
    check_completion(c, VRNIC_WC_BAD_RESP_ERR, 0, 0);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("no more READs at once than agreed; a fence waits for all") {
    Connection c;
    for (int i = 0; i < 3; ++i) c.post_send(c.send_entry(VRNIC_OP_READ, 0, 10));
    CHECK(c.sent().size() == 2);
    c.deliver(read_response(kReadResponseOnly, first_psn(c)), Connection::pattern(10));
    CHECK(c.only().packet.psn == first_psn(c) + 2);
    auto fenced = c.send_entry(VRNIC_OP_SEND, 0, 10);
    fenced.flags |= VRNIC_SQE_FENCE;
    c.post_send(fenced);
    CHECK(c.sent().empty());
    c.deliver(read_response(kReadResponseOnly, first_psn(c) + 1), Connection::pattern(10));
    CHECK(c.sent().empty());
    c.deliver(read_response(kReadResponseOnly, first_psn(c) + 2), Connection::pattern(10));
    CHECK(unsigned(c.only().opcode()) == kSendOnly);
}

TEST_CASE("inline data goes out as it was posted") {
    Connection c;
    auto entry = c.send_entry(VRNIC_OP_SEND, 0, 0);
    entry.flags |= VRNIC_SQE_INLINE;
    entry.num_sge = 0;
    entry.inline_length = 32;
    const auto data = Connection::pattern(32, 5);
    std::memcpy(entry.sge, data.data(), data.size());
    c.post_send(entry);
    CHECK(payload_of(c.only()) == data);
}

TEST_CASE("wrong send entries fail, after those before them, and are never sent") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    CHECK(c.sent().size() == 1);
    vrnic_sqe entry = c.send_entry(VRNIC_OP_WRITE, 0, 10);
    unsigned status = VRNIC_WC_LOC_QP_OP_ERR;
    SECTION("opcode") {
        entry.opcode = 0;
    }
    SECTION("opcode that is not for sending") {
        entry.opcode = VRNIC_OP_RECV;
    }
    SECTION("flags") {
        entry.flags |= 0x80;
    }
    SECTION("reserved byte") {
        entry.reserved0 = 1;
    }
    SECTION("reserved word") {
        entry.reserved1 = 1u;
    }
    SECTION("more scatter/gather entries than the stride holds") {
        entry.num_sge = 7;
    }
    SECTION("inline longer than the stride") {
        entry.flags |= VRNIC_SQE_INLINE;
        entry.num_sge = 0;
        entry.inline_length = Connection::kSqStride - VRNIC_SQE_DATA_OFFSET + 1;
    }
    SECTION("inline with a list") {
        entry.flags |= VRNIC_SQE_INLINE;
        entry.inline_length = 4;
    }
    SECTION("inline length without inline") {
        entry.inline_length = 4;
    }
    SECTION("inline READ") {
        entry.opcode = VRNIC_OP_READ;
        entry.flags |= VRNIC_SQE_INLINE;
        entry.num_sge = 0;
    }
    SECTION("key") {
        entry.sge[0].lkey = entry.sge[0].lkey ^ 1u;
        status = VRNIC_WC_LOC_PROT_ERR;
    }
    SECTION("bounds") {
        entry.sge[0].addr = kIova + kRegionSize - 9;
        status = VRNIC_WC_LOC_PROT_ERR;
    }
    SECTION("more than 2^31 bytes") {
        entry.num_sge = 2;
        entry.sge[0].length = 0x80000000u;
        entry.sge[1] = entry.sge[0];
        status = VRNIC_WC_LOC_LEN_ERR;
    }
    SECTION("a READ into memory that is read-only") {
        entry.opcode = VRNIC_OP_READ;
        entry.sge[0].lkey = c.register_region(c.region, kIova, 4096, 0, c.pdn);
        status = VRNIC_WC_LOC_PROT_ERR;
    }
    c.post_send(entry);
    CHECK(c.sent().empty());
    CHECK_FALSE(c.poll().has_value());  // the one before is still on its way
    c.acknowledge(first_psn(c));
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_SEND);
    check_completion(c, status, 1, 0);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    CHECK(c.sent().empty());
}

TEST_CASE("memory that the bus refuses is not sent as zeros") {
    Connection c;
    c.guest.host.hole = c.region;
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    CHECK(c.sent().empty());
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_LOC_PROT_ERR);
    CHECK(cqe->syndrome == VRNIC_SYND_DMA_FAILED);
}

TEST_CASE("a queue that cannot be read, or whose index is impossible, is fatal for the QP") {
    Connection c;
    std::uint32_t reason = 0;
    SECTION("index") {
        reason = VRNIC_SYND_RING_INDEX;
        c.set_send_index(33);
    }
    SECTION("memory") {
        reason = VRNIC_SYND_DMA_FAILED;
        c.guest.host.hole = c.queues;
        c.guest.ring(c.uar, VRNIC_DB_TYPE_SQ, c.qpn);
        c.guest.host.hole = c.queues + (Connection::kRecordOffset & ~0xfffu);
        c.guest.ring(c.uar, VRNIC_DB_TYPE_SQ, c.qpn);
        c.settle();
    }
    c.guest.host.hole = 0;
    check_fatal(c, reason);
    CHECK(c.sent().empty());
}

namespace {

// A queue pair that may have one READ outstanding, is asked for two, and so waits for its peer.
struct WaitsForPeer {
    Connection c{{.max_rd_atomic = 1}};
    Psn asked = first_psn(c);

    WaitsForPeer() {
        c.post_send(read());
        CHECK_FALSE(c.send_busy());
        c.post_send(read());
        CHECK(c.send_busy());
        CHECK(c.sent_opcodes() == std::vector<unsigned>{kReadRequest});
    }
    vrnic_sqe read() const { return c.send_entry(VRNIC_OP_READ, 0, 8); }
    void answer() {
        c.deliver(read_response(kReadResponseOnly, asked), Connection::pattern(8));
        ++asked;
    }
    std::size_t completed() {
        std::size_t n = 0;
        for (auto cqe = c.poll(); cqe; cqe = c.poll()) n += cqe->status == VRNIC_WC_SUCCESS;
        return n;
    }
};

}  // namespace

TEST_CASE("a send queue that waits for its peer is looked at without a doorbell") {
    WaitsForPeer w;
    Connection& c = w.c;
    SECTION("until nothing is left in it") {
        c.post_send_silently(w.read());
        for (int i = 0; i < 2; ++i) {
            w.answer();
            CHECK(c.sent_opcodes() == std::vector<unsigned>{kReadRequest});
        }
        CHECK_FALSE(c.send_busy());
        w.answer();
        CHECK(w.completed() == 3);
        c.post_send_silently(w.read());
        c.settle();
        CHECK(c.sent().empty());
        c.ring_send();
        CHECK(c.sent().size() == 1);
    }
    SECTION("also for what is posted before the guest can see that it is looked at no more") {
        const BusAddress busy = c.record(offsetof(vrnic_qp_dbrec, sq_busy));
        bool posted = false;
        c.guest.host.on_dma = [&](BusAddress address, std::size_t) {
            if (address != busy || posted) return;
            posted = true;
            c.post_send_silently(w.read());
        };
        w.answer();
        CHECK(posted);
        w.answer();
        CHECK(c.sent().size() == 2);
        w.answer();
        CHECK(w.completed() == 3);
        CHECK_FALSE(c.send_busy());
    }
    SECTION("from RTS on, when it was drained in between") {
        c.modify(VRNIC_QPS_SQD, VRNIC_QP_STATE);
        w.answer();
        w.answer();
        c.post_send_silently(w.read());
        c.modify(VRNIC_QPS_RTS, VRNIC_QP_STATE);
        c.settle();
        w.answer();
        CHECK(w.completed() == 3);
        CHECK_FALSE(c.send_busy());
    }
    SECTION("to flush it") {
        c.post_send_silently(w.read());
        c.modify(VRNIC_QPS_ERR, VRNIC_QP_STATE);
        c.settle();
        for (std::uint32_t i = 0; i < 3; ++i) check_completion(c, VRNIC_WC_WR_FLUSH_ERR, i, 0);
        CHECK_FALSE(c.send_busy());
    }
    SECTION("not after RESET") {
        c.modify(VRNIC_QPS_RESET, VRNIC_QP_STATE);
        c.guest.host.store(c.record(0), vrnic_qp_dbrec{});
        c.sq_pi = 0;
        c.to_init();
        c.to_rtr();
        c.to_rts();
        c.settle();
        c.post_send_silently(w.read());
        c.settle();
        CHECK(c.sent().empty());
        c.ring_send();
        CHECK(c.sent().size() == 1);
        CHECK_FALSE(c.send_busy());
    }
    SECTION("and a record that cannot be written is fatal for the QP") {
        const BusAddress busy = c.record(offsetof(vrnic_qp_dbrec, sq_busy));
        c.guest.host.on_dma = [&](BusAddress address, std::size_t) {
            if (address == busy) c.guest.host.hole = busy & ~BusAddress{0xfff};
        };
        w.answer();
        c.guest.host.hole = 0;
        check_fatal(c, VRNIC_SYND_DMA_FAILED);
    }
}

TEST_CASE("a send queue that cannot be told to wait is fatal for the QP") {
    Connection c{{.max_rd_atomic = 1}};
    c.post_send(c.send_entry(VRNIC_OP_READ, 0, 8));
    const BusAddress busy = c.record(offsetof(vrnic_qp_dbrec, sq_busy));
    c.guest.host.on_dma = [&](BusAddress address, std::size_t) {
        if (address == busy) c.guest.host.hole = busy & ~BusAddress{0xfff};
    };
    c.post_send(c.send_entry(VRNIC_OP_READ, 0, 8));
    c.guest.host.hole = 0;
    check_fatal(c, VRNIC_SYND_DMA_FAILED);
}

TEST_CASE("the window is bounded, and acknowledgements are asked for on the way") {
    Connection c;
    const std::uint32_t length = 512 * kMtu;
    const auto big = c.guest.host.allocate(length);
    auto entry = c.send_entry(VRNIC_OP_WRITE, 0, length);
    entry.sge[0].addr = 0;
    entry.sge[0].lkey = c.register_region(big, 0, length, kAccess, c.pdn);
    c.post_send(entry);
    auto packets = c.sent();
    CHECK(packets.size() < 512);
    REQUIRE_FALSE(packets.empty());
    CHECK(packets.back().packet.ack_request);
    unsigned asked = 0;
    for (const Sent& one : packets) asked += one.packet.ack_request;
    CHECK(asked >= 4);
    std::size_t total = packets.size();
    while (!packets.empty()) {
        c.acknowledge(packets.back().packet.psn);
        packets = c.sent();
        total += packets.size();
    }
    CHECK(total == 512);
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_WRITE);
}

TEST_CASE("the more timeouts in a row, the less is sent again, until an acknowledgement comes") {
    Connection c;
    const std::uint32_t length = 512 * kMtu;
    const auto big = c.guest.host.allocate(length);
    auto entry = c.send_entry(VRNIC_OP_WRITE, 0, length);
    entry.sge[0].addr = 0;
    entry.sge[0].lkey = c.register_region(big, 0, length, kAccess, c.pdn);
    c.post_send(entry);
    CHECK(c.sent().size() == 256);
    for (const std::size_t less : {64u, 16u, 4u}) {
        while (c.guest.host.frames.empty()) REQUIRE(c.pass_timer());
        const auto again = c.sent();
        CHECK(again.size() == less);
        CHECK(again.front().packet.psn == first_psn(c));
        CHECK(again.back().packet.ack_request);
    }
    c.acknowledge(first_psn(c));
    CHECK(c.sent().back().packet.psn == first_psn(c) + 256);
}

TEST_CASE("a wire that is full stops the device and loses nothing") {
    Connection c;
    c.guest.host.send_result = SendResult::paused;
    for (int i = 0; i < 3; ++i) c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    c.sent();
    CHECK(c.counters().roce_tx_packets == 0);
    c.guest.host.send_result = SendResult::sent;
    c.guest.engine.wire_ready();
    c.settle();
    CHECK(c.sent().size() == 3);
}

TEST_CASE("SQD finishes what was begun and takes nothing new") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    c.sent();
    auto fields = c.modify_fields(VRNIC_QPS_SQD, VRNIC_QP_STATE | VRNIC_QP_EN_SQD_ASYNC_NOTIFY);
    fields.attr.en_sqd_async_notify = 1;
    CHECK(c.guest.submit(VRNIC_ADMIN_MODIFY_QP, fields).status == VRNIC_STATUS_OK);
    CHECK(c.query().sq_draining == 1);
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    CHECK(c.sent().empty());
    CHECK_FALSE(c.event().has_value());
    c.acknowledge(first_psn(c));
    const auto told = c.event();
    REQUIRE(told.has_value());
    CHECK(told->type == VRNIC_EVENT_QP_SQ_DRAINED);
    CHECK(c.query().sq_draining == 0);
    c.modify(VRNIC_QPS_RTS, VRNIC_QP_STATE);
    c.settle();
    CHECK(c.only().packet.psn == first_psn(c) + 1);
}

TEST_CASE("PSNs wrap") {
    ConnectionOptions options;
    options.sq_psn = 0xfffffe;
    Connection c(options);
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 4 * kMtu));
    const auto packets = c.sent();
    REQUIRE(packets.size() == 4);
    CHECK(packets[1].packet.psn == Psn(0xffffff));
    CHECK(packets[2].packet.psn == Psn(0));
    c.acknowledge(Psn(0), kNakSequence);
    const auto again = c.sent();
    REQUIRE(again.size() == 2);
    CHECK(again[0].packet.psn == Psn(0));
    c.acknowledge(Psn(1));
    check_completion(c, VRNIC_WC_SUCCESS, 0, VRNIC_OP_WRITE);
}

TEST_CASE("nothing of a QP that was destroyed or reset goes on") {
    Connection c;
    c.post_send(c.send_entry(VRNIC_OP_SEND, 0, 10));
    c.post_recv(0, 10);
    c.sent();
    SECTION("destroyed") {
        CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
        c.guest.ring(c.uar, VRNIC_DB_TYPE_SQ, c.qpn);
        CHECK(c.counters().doorbell_errors == 1);
    }
    SECTION("reset") {
        c.modify(VRNIC_QPS_RESET, VRNIC_QP_STATE);
    }
    c.acknowledge(first_psn(c));
    c.pass(10'000'000'000);
    CHECK(c.sent().empty());
    CHECK_FALSE(c.poll().has_value());
    CHECK_FALSE(c.event().has_value());
}

TEST_CASE("RNR timer values are those of IBTA table 46") {
    // In units of 10 us.
    constexpr std::uint32_t kTable[32] = {65536, 1,    2,    3,     4,     6,     8,     12,
                                          16,    24,   32,   48,    64,    96,    128,   192,
                                          256,   384,  512,  768,   1024,  1536,  2048,  3072,
                                          4096,  6144, 8192, 12288, 16384, 24576, 32768, 49152};
    for (unsigned value = 0; value < 32; ++value)
        CHECK(completer::rnr_delay(static_cast<std::uint8_t>(value)) == kTable[value] * 10'000ull);
}
