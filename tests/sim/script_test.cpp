// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of docs/wire.md, packet by packet; that page names the script for each.
#include "script.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

constexpr Nanoseconds kTimeout = 4096 << 8;  // of Connection's timeout 8

// A message of so many packets, the last one of last_bytes, as the device sends it.
std::vector<P> message(std::uint32_t packets, std::uint32_t first_psn = 0) {
    std::vector<P> out;
    for (std::uint32_t i = 0; i < packets; ++i)
        out.emplace_back(i == 0             ? kSendFirst
                         : i + 1 == packets ? kSendLast
                                            : kSendMiddle,
                         first_psn + i);
    return out;
}

P write_only(const Script& s, std::uint32_t psn, std::uint64_t offset, std::uint32_t bytes) {
    return P(kWriteOnly, psn).data(bytes).reth(s.near(offset), s.key(), bytes).asks();
}

P read(const Script& s, std::uint32_t psn, std::uint64_t offset, std::uint32_t bytes) {
    return P(kReadRequest, psn).reth(s.near(offset), s.key(), bytes).asks();
}

P fetch_add(const Script& s, std::uint32_t psn, std::uint64_t offset) {
    return P(kFetchAdd, psn).atomic(s.near(offset), s.key(), 1).asks();
}

}  // namespace

// ---- as requester ----

SCRIPT("a message goes out in packets of the path MTU and is over when all of it is acknowledged") {
    s.connect();
    s.user_sends(VRNIC_OP_SEND, 600);
    s.device_sends(P(kSendFirst, 0).data(256).asks(false), P(kSendMiddle, 1).data(256).asks(false),
                   P(kSendLast, 2).data(88).asks());
    s.peer_sends(ack(1));
    s.user_sees_nothing();
    s.peer_sends(ack(2));
    s.user_sees(VRNIC_WC_SUCCESS);
}

SCRIPT("one acknowledgement completes all before it, in order") {
    s.connect();
    for (int i = 0; i < 3; ++i) s.user_sends(VRNIC_OP_SEND, 10);
    s.device_sends(P(kSendOnly, 0).asks(), P(kSendOnly, 1).asks(), P(kSendOnly, 2).asks());
    s.peer_sends(ack(2));
    s.user_sees(VRNIC_WC_SUCCESS, VRNIC_WC_SUCCESS, VRNIC_WC_SUCCESS);
}

SCRIPT("every 32nd packet asks for an acknowledgement, and the last one") {
    s.connect();
    s.user_sends(VRNIC_OP_SEND, 40 * Script::kMtu);
    auto packets = message(40);
    for (P& packet : packets) packet.asks(packet.psn == 31 || packet.psn == 39);
    s.expect_all(packets);
    s.peer_sends(ack(39));
    s.user_sees(VRNIC_WC_SUCCESS);
}

SCRIPT("256 packets are sent ahead, the last of them asks") {
    s.connect();
    s.user_sends(VRNIC_OP_SEND, 300 * Script::kMtu);
    auto packets = message(300);
    const std::vector<P> rest(packets.begin() + 256, packets.end());
    packets.erase(packets.begin() + 256, packets.end());
    packets.back().asks();
    s.expect_all(packets);
    s.peer_sends(ack(255));
    s.expect_all(rest);
    s.peer_sends(ack(299));
    s.user_sees(VRNIC_WC_SUCCESS);
}

SCRIPT("without an acknowledgement all is sent again, later and later, then the request fails") {
    s.connect({.retry_cnt = 2});
    s.user_sends(VRNIC_OP_SEND, 300);
    const std::vector<P> packets = message(2);
    s.expect_all(packets);
    s.wait(kTimeout - 50 * kMicrosecond);
    s.device_sends_nothing();
    s.wait(100 * kMicrosecond);
    s.expect_all(packets);
    s.wait(2 * kTimeout - 100 * kMicrosecond);
    s.device_sends_nothing();
    s.wait(200 * kMicrosecond);
    s.expect_all(packets);
    s.wait(4 * kTimeout + 100 * kMicrosecond);
    s.device_sends_nothing();
    s.user_sees(VRNIC_WC_RETRY_EXC_ERR);
    CHECK(s.state() == VRNIC_QPS_ERR);
}

SCRIPT("an acknowledgement of anything new gives all retries back") {
    s.connect({.retry_cnt = 1});
    s.user_sends(VRNIC_OP_SEND, 600);
    s.expect_all(message(3));
    for (std::uint32_t psn = 0; psn < 2; ++psn) {
        s.wait(kTimeout + 50 * kMicrosecond);
        const auto all = message(3);
        s.expect_all({all.begin() + psn, all.end()});
        s.peer_sends(ack(psn));
    }
    s.wait(kTimeout + 50 * kMicrosecond);
    s.device_sends(P(kSendLast, 2));
    s.peer_sends(ack(2));
    s.user_sees(VRNIC_WC_SUCCESS);
}

SCRIPT("after timeouts less and less is sent ahead, until an acknowledgement comes") {
    s.connect();
    s.user_sends(VRNIC_OP_SEND, 256 * Script::kMtu);
    const auto packets = message(256);
    s.expect_all(packets);
    s.wait(kTimeout + 50 * kMicrosecond);
    s.expect_all({packets.begin(), packets.begin() + 64});
    s.wait(2 * kTimeout);
    s.expect_all({packets.begin(), packets.begin() + 16});
    s.peer_sends(ack(15));
    s.expect_all({packets.begin() + 16, packets.end()});
    s.peer_sends(ack(255));
    s.user_sees(VRNIC_WC_SUCCESS);
}

SCRIPT("a sequence NAK goes back to its PSN and acknowledges what is before it") {
    s.connect();
    s.user_sends(VRNIC_OP_SEND, 10);
    s.user_sends(VRNIC_OP_SEND, 600);
    s.device_sends(P(kSendOnly, 0), P(kSendFirst, 1), P(kSendMiddle, 2), P(kSendLast, 3));
    s.peer_sends(nak(2));
    s.user_sees(VRNIC_WC_SUCCESS);
    s.device_sends(P(kSendMiddle, 2), P(kSendLast, 3));
    s.peer_sends(ack(3));
    s.user_sees(VRNIC_WC_SUCCESS);
}

SCRIPT("a READ with a gap in its responses is asked for from the first missing byte on") {
    s.connect();
    s.user_sends(VRNIC_OP_READ, 700);
    s.device_sends(P(kReadRequest, 0).reth(0, 0, 700).asks());
    s.peer_sends(P(kReadResponseFirst, 0).data(256), P(kReadResponseLast, 2).data(188));
    s.device_sends(P(kReadRequest, 1).reth(0, 0, 444).asks());
    s.peer_sends(P(kReadResponseLast, 2).data(188));  // one more of the old ones: no news
    s.device_sends_nothing();
    const P first = P(kReadResponseFirst, 1).data(256), last = P(kReadResponseLast, 2).data(188);
    s.peer_sends(first, last);
    s.user_sees(VRNIC_WC_SUCCESS);
    s.holds(128 << 10, {P(kReadResponseFirst, 0).data(256), first, last});
}

SCRIPT("an RNR NAK is waited out") {
    s.connect();
    s.user_sends(VRNIC_OP_SEND, 10);
    s.device_sends(P(kSendOnly, 0));
    s.peer_sends(rnr_nak(0, 14));  // 1.28 ms, IBTA table 46
    s.wait(1280 * kMicrosecond - 50 * kMicrosecond);
    s.device_sends_nothing();
    s.wait(50 * kMicrosecond);
    s.device_sends(P(kSendOnly, 0));
    s.peer_sends(ack(0));
    s.user_sees(VRNIC_WC_SUCCESS);
}

SCRIPT("RNR retries are used up") {
    s.connect({.rnr_retry = 1});
    s.user_sends(VRNIC_OP_SEND, 10);
    s.device_sends(P(kSendOnly, 0));
    s.peer_sends(rnr_nak(0, 1));
    s.device_sends(P(kSendOnly, 0));
    s.peer_sends(rnr_nak(0, 1));
    s.device_sends_nothing();
    s.user_sees(VRNIC_WC_RNR_RETRY_EXC_ERR);
}

SCRIPT("READs and atomics wait for each other's answers") {
    s.connect({.rd_atomic = 2});
    s.user_sends(VRNIC_OP_READ, 100);
    s.user_sends(VRNIC_OP_FETCH_ADD, 8);
    s.user_sends(VRNIC_OP_READ, 100);
    s.device_sends(P(kReadRequest, 0), P(kFetchAdd, 1));
    s.peer_sends(P(kReadResponseOnly, 0).data(100));
    s.device_sends(P(kReadRequest, 2));
    s.peer_sends(P(kAtomicAcknowledge, 1).found(5), P(kReadResponseOnly, 2).data(100));
    s.user_sees(VRNIC_WC_SUCCESS, VRNIC_WC_SUCCESS, VRNIC_WC_SUCCESS);
}

SCRIPT("answers that nobody waits for change nothing") {
    s.connect();
    s.peer_sends(ack(0), nak(0, kNakAccess), P(kReadResponseOnly, 0).data(10));
    s.user_sends(VRNIC_OP_SEND, 10);
    s.device_sends(P(kSendOnly, 0));
    s.peer_sends(ack(1), ack(0x7fffff), nak(2, kNakInvalid), rnr_nak(5, 1));
    s.user_sees_nothing();
    s.peer_sends(ack(0), ack(0));
    s.user_sees(VRNIC_WC_SUCCESS);
    s.device_sends_nothing();
}

SCRIPT("an acknowledgement that was corrupted on its way is none") {
    s.connect();
    s.user_sends(VRNIC_OP_SEND, 10);
    s.device_sends(P(kSendOnly, 0));
    s.peer_sends(ack(0).broken());
    s.user_sees_nothing();
    s.wait(kTimeout + 50 * kMicrosecond);
    s.device_sends(P(kSendOnly, 0));
    s.peer_sends(ack(0));
    s.user_sees(VRNIC_WC_SUCCESS);
}

TEST_CASE("NAKs that are final end the request with their status", "[script]") {
    struct Row {
        std::uint8_t code;
        std::uint8_t status;
    };
    for (const Row& row :
         {Row{kNakInvalid, VRNIC_WC_REM_INV_REQ_ERR}, Row{kNakAccess, VRNIC_WC_REM_ACCESS_ERR},
          Row{kNakOperational, VRNIC_WC_REM_OP_ERR}}) {
        CAPTURE(int(row.code));
        play([&](Script& s) {
            s.connect();
            s.user_sends(VRNIC_OP_SEND, 10);
            s.user_sends(VRNIC_OP_SEND, 10);
            s.device_sends(P(kSendOnly, 0), P(kSendOnly, 1));
            s.peer_sends(nak(0, row.code));
            s.user_sees(row.status, VRNIC_WC_WR_FLUSH_ERR);
            CHECK(s.state() == VRNIC_QPS_ERR);
        });
    }
}

// ---- as responder ----

SCRIPT("an acknowledgement is sent when it is asked for, without counting credits") {
    s.connect();
    s.user_receives(1000);
    const P first = P(kSendFirst, 0).data(256), last = P(kSendLast, 1).data(100).asks();
    s.peer_sends(first);
    s.device_sends_nothing();
    s.peer_sends(last);
    s.device_sends(P(kAcknowledge, 1).says(0x1f));
    s.user_sees(VRNIC_WC_SUCCESS);
    s.holds(0, {first, last});
}

SCRIPT("unasked, an acknowledgement is sent after 64 packets") {
    s.connect();
    std::vector<P> packets;
    for (std::uint32_t psn = 0; psn < 70; ++psn)
        packets.push_back(P(psn == 0    ? kWriteFirst
                            : psn == 69 ? kWriteLast
                                        : kWriteMiddle,
                            psn)
                              .data(256)
                              .reth(s.near(0), s.key(), 70 * 256));
    s.send_all(packets);
    s.device_sends(ack(63));
    s.holds(0, packets);
}

SCRIPT("a packet ahead of the expected one gets one NAK, until the missing one comes") {
    s.connect();
    s.user_receives(1000);
    const P first = P(kSendFirst, 0).data(256), middle = P(kSendMiddle, 1).data(256),
            last = P(kSendLast, 2).data(10).asks();
    s.peer_sends(first, last);
    s.device_sends(nak(1));
    s.peer_sends(last, last);
    s.device_sends_nothing();
    s.user_sees_nothing();
    s.peer_sends(middle, last);
    s.device_sends(ack(2));
    s.user_sees(VRNIC_WC_SUCCESS);
    s.holds(0, {first, middle, last});
    s.peer_sends(P(kSendOnly, 5).data(10).asks());  // the next gap gets its own
    s.device_sends(nak(3));
}

SCRIPT("a repeated SEND is acknowledged again and not received again") {
    s.connect();
    s.user_receives(100);
    s.user_receives(100);
    const P send = P(kSendOnly, 0).data(100).asks();
    s.peer_sends(send);
    s.device_sends(ack(0));
    s.user_sees(VRNIC_WC_SUCCESS);
    s.store(0, std::uint64_t{42});
    s.peer_sends(send);
    s.device_sends(ack(0));
    s.user_sees_nothing();
    CHECK(s.load<std::uint64_t>(0) == 42);
}

SCRIPT("a repeated WRITE is acknowledged again and not written again") {
    s.connect();
    const P write = write_only(s, 0, 4096, 100);
    s.peer_sends(write, write_only(s, 1, 8192, 100));
    s.device_sends(ack(1));
    s.holds(4096, {write});
    s.store(4096, std::uint64_t{42});
    s.peer_sends(write);
    s.device_sends(ack(1));  // of the newest
    CHECK(s.load<std::uint64_t>(4096) == 42);
}

SCRIPT("a repeated READ is carried out again, from where it asks") {
    s.connect();
    s.store(256, std::uint64_t{1});
    s.peer_sends(read(s, 0, 0, 700));
    s.device_sends(P(kReadResponseFirst, 0).data(256).says(0x1f),
                   P(kReadResponseMiddle, 1).data(256),
                   P(kReadResponseLast, 2).data(188).says(0x1f));
    s.peer_sends(read(s, 1, 256, 444));
    s.device_sends(P(kReadResponseFirst, 1).data(256), P(kReadResponseLast, 2).data(188));
}

SCRIPT("a repeated atomic is answered with what it found then; a very old one is ignored") {
    s.connect();
    s.store(0, std::uint64_t{100});
    for (std::uint32_t psn = 0; psn < 3; ++psn) {
        s.peer_sends(fetch_add(s, psn, 0));
        s.device_sends(P(kAtomicAcknowledge, psn).found(100 + psn));
    }
    s.peer_sends(fetch_add(s, 1, 0));
    s.device_sends(P(kAtomicAcknowledge, 1).found(101));
    CHECK(s.load<std::uint64_t>(0) == 103);
    for (std::uint32_t psn = 3; psn < 17; ++psn) {
        s.peer_sends(fetch_add(s, psn, 0));
        s.device_sends(P(kAtomicAcknowledge, psn).found(100 + psn));
    }
    s.peer_sends(fetch_add(s, 0, 0));
    s.device_sends_nothing();
    s.peer_sends(fetch_add(s, 1, 0));
    s.device_sends(P(kAtomicAcknowledge, 1).found(101));
    CHECK(s.load<std::uint64_t>(0) == 117);
}

SCRIPT("READs and atomics are answered in their order, before any acknowledgement behind them") {
    s.connect();
    s.store(8192, std::uint64_t{7});
    s.peer_sends(read(s, 0, 0, 300), fetch_add(s, 2, 8192), write_only(s, 3, 4096, 10));
    s.device_sends(P(kReadResponseFirst, 0), P(kReadResponseLast, 1),
                   P(kAtomicAcknowledge, 2).found(7), ack(3));
}

SCRIPT("without a receive entry there is an RNR NAK, and the message comes again") {
    s.connect({.min_rnr_timer = 9});
    const P send = P(kSendOnly, 0).data(100).asks();
    s.peer_sends(send);
    s.device_sends(rnr_nak(0, 9));
    s.peer_sends(send);
    s.device_sends(rnr_nak(0, 9));
    s.user_receives(100);
    s.peer_sends(send);
    s.device_sends(ack(0));
    s.user_sees(VRNIC_WC_SUCCESS);
    s.holds(0, {send});
}

SCRIPT("when a request is refused READs before it are answered, then the NAK, then no more") {
    s.connect();
    s.peer_sends(read(s, 0, 0, 300), P(kWriteOnly, 2).data(10).reth(0, 0x777777, 10).asks());
    s.device_sends(P(kReadResponseFirst, 0), P(kReadResponseLast, 1), nak(2, kNakAccess));
    s.event(VRNIC_EVENT_QP_ACCESS_ERROR);
    CHECK(s.state() == VRNIC_QPS_ERR);
    s.peer_sends(write_only(s, 2, 4096, 10), read(s, 0, 0, 300));
    s.device_sends_nothing();
    CHECK(s.counters().roce_rx_bad_state == 2);
}

TEST_CASE("what is refused, with which NAK, and who is told", "[script]") {
    struct Row {
        const char* name;
        P (*packet)(const Script&);
        std::uint8_t code;
        std::uint32_t event;  // 0: the receive's completion tells
        std::uint8_t status = VRNIC_WC_SUCCESS;
    };
    const Row kRows[] = {
        {"middle without first", [](const Script&) { return P(kSendMiddle, 0).data(256); },
         kNakInvalid, VRNIC_EVENT_QP_REQ_ERROR},
        {"last without first", [](const Script&) { return P(kWriteLast, 0).data(10); }, kNakInvalid,
         VRNIC_EVENT_QP_REQ_ERROR},
        {"more than the MTU", [](const Script&) { return P(kSendOnly, 0).data(260); }, kNakInvalid,
         VRNIC_EVENT_QP_REQ_ERROR},
        {"first packet not full", [](const Script&) { return P(kSendFirst, 0).data(255); },
         kNakInvalid, VRNIC_EVENT_QP_REQ_ERROR},
        {"fewer bytes than the RETH says",
         [](const Script& s) { return write_only(s, 0, 0, 100).reth(s.near(0), s.key(), 101); },
         kNakInvalid, VRNIC_EVENT_QP_REQ_ERROR},
        {"more bytes than the RETH says",
         [](const Script& s) { return write_only(s, 0, 0, 100).reth(s.near(0), s.key(), 99); },
         kNakInvalid, VRNIC_EVENT_QP_REQ_ERROR},
        {"atomic that is not aligned", [](const Script& s) { return fetch_add(s, 0, 4); },
         kNakInvalid, VRNIC_EVENT_QP_REQ_ERROR},
        {"FLUSH without a placement that the device has",
         [](const Script& s) { return P(kFlush, 0).reth(s.near(0), s.key(), 8); }, kNakInvalid,
         VRNIC_EVENT_QP_REQ_ERROR},
        {"unknown key",
         [](const Script& s) { return read(s, 0, 0, 10).reth(s.near(0), 0x777777, 10); },
         kNakAccess, VRNIC_EVENT_QP_ACCESS_ERROR},
        {"old key byte",
         [](const Script& s) { return read(s, 0, 0, 10).reth(s.near(0), s.key() ^ 1, 10); },
         kNakAccess, VRNIC_EVENT_QP_ACCESS_ERROR},
        {"behind the region's end", [](const Script& s) { return read(s, 0, (256 << 10) - 9, 10); },
         kNakAccess, VRNIC_EVENT_QP_ACCESS_ERROR},
        {"longer than the receive entry", [](const Script&) { return P(kSendOnly, 0).data(101); },
         kNakInvalid, 0, VRNIC_WC_LOC_LEN_ERR},
        {"invalidation of a key that is none",
         [](const Script&) { return P(kSendOnlyInvalidate, 0).data(10); }, kNakAccess, 0,
         VRNIC_WC_REM_INV_REQ_ERR},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        play([&](Script& s) {
            s.connect();
            s.user_receives(100);
            s.peer_sends(row.packet(s).asks());
            s.device_sends(nak(0, row.code));
            CHECK(s.state() == VRNIC_QPS_ERR);
            if (row.event != 0) s.event(row.event);
            s.user_sees(row.event != 0 ? std::uint8_t{VRNIC_WC_WR_FLUSH_ERR} : row.status);
        });
    }
}

SCRIPT("what the QP is not open for is an invalid request") {
    s.connect({.access = 0});
    s.peer_sends(write_only(s, 0, 0, 10));
    s.device_sends(nak(0, kNakInvalid));
    s.event(VRNIC_EVENT_QP_REQ_ERROR);
}

SCRIPT("more READs at once than agreed are an invalid request") {
    s.connect({.rd_atomic = 1});
    s.peer_sends(read(s, 0, 0, 200 * Script::kMtu), read(s, 200, 0, 10));
    std::vector<P> answers;
    for (std::uint32_t psn = 0; psn < 200; ++psn)
        answers.emplace_back(psn == 0     ? kReadResponseFirst
                             : psn == 199 ? kReadResponseLast
                                          : kReadResponseMiddle,
                             psn);
    answers.push_back(nak(200, kNakInvalid));
    s.expect_all(answers);
    s.event(VRNIC_EVENT_QP_REQ_ERROR);
}

TEST_CASE("packets that are dropped are counted, and not a word is said", "[script]") {
    struct Row {
        const char* name;
        P packet;
        std::uint64_t Counters::*counter;
    };
    const Row kRows[] = {
        {"wrong ICRC", P(kSendOnly, 0).data(10).asks().broken(), &Counters::roce_rx_bad_icrc},
        {"another partition", P(kSendOnly, 0).data(10).asks().pkey(0x8001),
         &Counters::roce_rx_bad_pkey},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        play([&](Script& s) {
            s.connect();
            s.user_receives(100);
            s.peer_sends(row.packet);
            s.device_sends_nothing();
            s.user_sees_nothing();
            CHECK(s.counters().*row.counter == 1);
            // A limited member's key of the same partition is right (IBTA 10.9.3).
            s.peer_sends(P(kSendOnly, 0).data(10).asks().pkey(0x7fff));
            s.device_sends(ack(0));
            s.user_sees(VRNIC_WC_SUCCESS);
        });
    }
}
