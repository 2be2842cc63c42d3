// SPDX-License-Identifier: GPL-2.0-or-later
// Frames from a hostile wire: counted and dropped, or answered as IBTA says.
#include <functional>

#include "base/random.h"
#include "support/connected.h"

using namespace vrnic::device_test;

namespace {

std::vector<std::uint8_t> reth(std::uint64_t address, std::uint32_t key, std::uint32_t length) {
    std::vector<std::uint8_t> out;
    for (int i = 7; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(address >> (8 * i)));
    for (int i = 3; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(key >> (8 * i)));
    for (int i = 3; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
    return out;
}

std::uint8_t octet(const Frame& frame, std::size_t at) {
    return at < frame.size() ? static_cast<std::uint8_t>(frame[at]) : 0;
}

constexpr std::uint8_t kSendOnly = 0x04, kWriteOnly = 0x0a, kAcknowledge = 0x11;

}  // namespace

TEST_CASE("bad frames are counted and dropped", "[frames]") {
    Connected bench;
    struct Row {
        const char* what;
        const char* counter;
        std::function<Frame()> frame;
    };
    const auto cut = [&](std::size_t size) {
        Frame frame = build(bench.from_peer(kSendOnly, {1, 2, 3, 4}));
        frame.resize(size);
        return frame;
    };
    const auto with_octet = [&](std::size_t at, std::uint8_t value) {
        Frame frame = build(bench.from_peer(kSendOnly, {1, 2, 3, 4}));
        frame[at] = std::byte{value};
        return frame;
    };
    const auto changed = [&](std::function<void(RoceFrame&)> change) {
        RoceFrame frame = bench.from_peer(kSendOnly, {1, 2, 3, 4});
        change(frame);
        return build(frame);
    };
    const Row rows[] = {
        {"one octet", "eth_rx_too_short", [&] { return cut(1); }},
        {"no Ethernet header", "eth_rx_too_short", [&] { return cut(13); }},
        {"longer than the port takes", "eth_rx_too_long", [&] { return Frame(20000); }},
        {"ends in the UDP payload", "roce_rx_malformed", [&] { return cut(kBthAt + 4); }},
        {"ends before the ICRC", "roce_rx_malformed", [&] { return cut(kBthAt + kBthSize); }},
        {"wrong IP checksum", "roce_rx_malformed", [&] { return with_octet(24, 0x55); }},
        {"IP length past the frame", "roce_rx_malformed", [&] { return with_octet(16, 0x55); }},
        {"UDP length wrong", "roce_rx_malformed", [&] { return with_octet(39, 0x55); }},
        {"wrong ICRC", "roce_rx_bad_icrc", [&] { return with_octet(kBthAt + kBthSize, 0x55); }},
        {"unknown opcode", "roce_rx_bad_opcode",
         [&] { return changed([](RoceFrame& f) { f.opcode = 0x1f; }); }},
        {"opcode of another transport", "roce_rx_bad_opcode",
         [&] { return changed([](RoceFrame& f) { f.opcode = 0x24; }); }},
        {"unknown QP", "roce_rx_unknown_qp",
         [&] { return changed([](RoceFrame& f) { f.qpn = 0xabcdef; }); }},
        {"QP 1", "roce_rx_unknown_qp", [&] { return changed([](RoceFrame& f) { f.qpn = 1; }); }},
        {"from another address", "roce_rx_wrong_source",
         [&] { return changed([](RoceFrame& f) { f.source = 0x0a000063; }); }},
        {"to another address", "roce_rx_wrong_source",
         [&] { return changed([](RoceFrame& f) { f.destination = 0x0a000063; }); }},
        {"another partition", "roce_rx_bad_pkey",
         [&] { return changed([](RoceFrame& f) { f.pkey = 0x8123; }); }},
        {"to another MAC", "eth_rx_filtered",
         [&] { return changed([](RoceFrame& f) { f.to[5] = 9; }); }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const std::uint64_t before = bench.machine.counter(row.counter);
        bench.machine.wire().send(row.frame());
        CHECK(bench.machine.eventually(
            [&] { return bench.machine.counter(row.counter) == before + 1; }));
    }
    CHECK(bench.driver.state(bench.qp) == VRNIC_QPS_RTS);
    CHECK_FALSE(bench.driver.poll(bench.cq));
    CHECK(bench.machine.ends_well());
}

TEST_CASE("frames of random octets", "[frames]") {
    Connected bench;
    vrnic::Random random(7);
    for (int i = 0; i < 1500; ++i) {
        Frame frame = build(bench.from_peer(static_cast<std::uint8_t>(random.next()),
                                            std::vector<std::uint8_t>(random.next() % 64 * 4)));
        if (random.next() % 2) {  // the header is right, the rest is not
            RoceFrame roce = bench.from_peer(static_cast<std::uint8_t>(random.next() % 0x20), {});
            for (unsigned n = random.next() % 10; n > 0; --n) {
                roce.psn = kPsn + random.next() % 4;
                for (int octet = 0; octet < 4; ++octet)
                    roce.body.push_back(static_cast<std::uint8_t>(random.next()));
            }
            frame = build(roce);
        } else {
            for (unsigned n = random.next() % 8; n > 0; --n)
                frame[random.next() % frame.size()] = static_cast<std::byte>(random.next());
        }
        bench.machine.wire().send(frame);
        if (i % 16 == 0) (void)bench.driver.reg(VRNIC_REG_STATUS);
        while (!bench.machine.wire().receive(std::chrono::milliseconds(0)).empty()) {
        }
    }
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a WRITE from the wire is placed and acknowledged", "[frames]") {
    Connected bench;
    std::vector<std::uint8_t> body = reth(bench.buffer + 64, bench.key, 8);
    for (std::uint8_t i = 1; i <= 8; ++i) body.push_back(i);
    RoceFrame write = bench.from_peer(kWriteOnly, body);
    write.ack_request = true;
    bench.machine.wire().send(build(write));

    const Frame answer = bench.machine.wire().receive();
    REQUIRE(answer.size() == kBthAt + kBthSize + 4 + 4);
    CHECK(right_icrc(answer) == carried_icrc(answer));
    CHECK(octet(answer, kBthAt) == kAcknowledge);
    CHECK(octet(answer, kBthAt + 7) == kPeerQpn);
    CHECK((octet(answer, kBthAt + kBthSize) & 0xe0) == 0);  // ACK
    CHECK(bench.machine.qtest().read(bench.buffer + 64, 8) == 0x0807060504030201);
    CHECK(bench.machine.qtest().read(bench.buffer + 72, 8) == 0);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a WRITE that is not allowed is refused, and nothing is written", "[frames]") {
    struct Row {
        const char* what;
        std::function<std::vector<std::uint8_t>(Connected&)> header;
    };
    const Row rows[] = {
        {"wrong key", [](Connected& b) { return reth(b.buffer, b.key ^ 1, 8); }},
        {"no such region", [](Connected& b) { return reth(b.buffer, b.key ^ 0x00ffff00, 8); }},
        {"before the region", [](Connected& b) { return reth(b.buffer - 8, b.key, 8); }},
        {"past the region", [](Connected& b) { return reth(b.buffer + 16380, b.key, 8); }},
        {"address wraps around", [](Connected& b) { return reth(~0ull - 3, b.key, 8); }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Connected bench;
        std::vector<std::uint8_t> body = row.header(bench);
        body.insert(body.end(), 8, 0xee);
        RoceFrame write = bench.from_peer(kWriteOnly, body);
        write.ack_request = true;
        bench.machine.wire().send(build(write));
        const Frame answer = bench.machine.wire().receive();
        REQUIRE(answer.size() == kBthAt + kBthSize + 4 + 4);
        CHECK(octet(answer, kBthAt + kBthSize) ==
              0x62);  // NAK, remote access error (IBTA 9.7.5.2.8)
        CHECK(bench.machine.qtest().read(bench.buffer, 8) == 0);
        CHECK(bench.machine.qtest().read(bench.buffer + 16376, 8) == 0);
        CHECK(bench.driver.state(bench.qp) == VRNIC_QPS_ERR);
        CHECK(bench.machine.ends_well());
    }
}

TEST_CASE("a request completes only when its peer has acknowledged it", "[frames]") {
    Connected bench;
    bench.machine.qtest().write(bench.buffer, 0x1122334455667788, 8);
    vrnic_sqe send{};
    send.opcode = VRNIC_OP_SEND;
    send.flags = VRNIC_SQE_SIGNALED;
    send.num_sge = 1;
    send.sge[0].addr = bench.buffer;
    send.sge[0].length = 8;
    send.sge[0].lkey = bench.key;
    bench.driver.post_send(bench.qp, send);

    const Frame request = bench.machine.wire().receive();
    REQUIRE(request.size() == kBthAt + kBthSize + 8 + 4);
    CHECK(right_icrc(request) == carried_icrc(request));
    CHECK(octet(request, kBthAt) == kSendOnly);
    CHECK(octet(request, kBthAt + kBthSize) == 0x88);
    // Not yet: the frame is on the wire, the peer has said nothing. It is sent again, in time.
    const Frame again = bench.machine.wire().receive();
    CHECK(again == request);
    CHECK_FALSE(bench.driver.poll(bench.cq));
    CHECK(bench.machine.counter("roce_local_ack_timeouts") > 0);

    bench.machine.wire().send(build(bench.from_peer(kAcknowledge, {0x1f, 0, 0, 1})));
    const auto completion = bench.driver.wait_completion(bench.cq);
    REQUIRE(completion);
    CHECK(completion->status == VRNIC_WC_SUCCESS);
    CHECK(completion->qpn == bench.qp.qpn);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a lost wire ends in a retry error, and the loss is counted", "[frames]") {
    Connected bench({.device = "id=v0,netdev=n0,mac=52:54:00:00:00:01,bus=pcie.0,addr=4,loss=1"});
    vrnic_sqe write{};
    write.opcode = VRNIC_OP_WRITE;
    write.num_sge = 1;
    write.sge[0].addr = bench.buffer;
    write.sge[0].length = 4096;
    write.sge[0].lkey = bench.key;
    bench.driver.post_send(bench.qp, write);
    const auto completion = bench.driver.wait_completion(bench.cq);
    REQUIRE(completion);
    CHECK(completion->status == VRNIC_WC_RETRY_EXC_ERR);
    CHECK(bench.machine.counter("faults_dropped_packets") >= 8);
    CHECK(bench.machine.counter("roce_retry_exceeded") == 1);
    CHECK(bench.machine.wire().receive(std::chrono::milliseconds(50)).empty());
    CHECK(bench.machine.ends_well());
}
