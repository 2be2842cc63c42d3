// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/receive.h"

#include "unit/catch.h"
#include "unit/ethernet/rings.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

struct Fixture : RingGuest<vrnic_eth_rxd> {
    BusAddress buffers = host.allocate(4 * 0x4000);

    Fixture() : RingGuest(VRNIC_ETH_RX) {}

    BusAddress buffer(std::uint32_t index) const { return buffers + (index & 3) * 0x4000; }
    vrnic_eth_rxd descriptor(std::uint32_t length) {
        vrnic_eth_rxd out{};
        out.buf.addr = buffer(produced);
        out.buf.length = length;
        return out;
    }
    static Frame frame(std::size_t size, int seed = 0) {
        Frame out(size);
        for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + seed);
        for (std::size_t i = 0; i < kMac.size(); ++i) out[i] = static_cast<std::byte>(kMac[i]);
        return out;
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a frame lands in the next buffer") {
    for (std::uint32_t i = 0; i < 20; ++i) {
        post(descriptor(2048));
        const Frame sent = frame(100 + i, static_cast<int>(i));
        engine.receive_frame(sent);
        const auto cqe = poll(cq);
        REQUIRE(cqe);
        CHECK(cqe->opcode == VRNIC_OP_ETH_RX);
        CHECK(cqe->status == VRNIC_WC_SUCCESS);
        CHECK(cqe->qpn == queue);
        CHECK(cqe->byte_len == 100 + i);
        CHECK(cqe->wqe_index == i);
        CHECK(std::ranges::equal(host.bytes(buffer(i), sent.size()), sent));
    }
    CHECK(engine.counters().eth_rx_packets == 20);
    CHECK(engine.counters().eth_rx_multicast == 0);
}

TEST_CASE_METHOD(Fixture, "a frame without a descriptor is dropped, and does not come later") {
    engine.receive_frame(frame(100));
    CHECK(engine.counters().eth_rx_no_buffer == 1);
    post(descriptor(2048));
    doorbell();
    CHECK_FALSE(poll(cq));
    engine.receive_frame(frame(200));
    CHECK(poll(cq)->byte_len == 200);
}

TEST_CASE_METHOD(Fixture, "a short frame is padded with zeros before it is stored") {
    std::ranges::fill(host.bytes(buffer(0), 100), std::byte{0xee});
    post(descriptor(2048));
    engine.receive_frame(frame(42));
    const auto cqe = poll(cq);
    REQUIRE(cqe);
    CHECK(cqe->byte_len == 60);
    for (const std::byte b : host.bytes(buffer(0) + 42, 18)) CHECK(b == std::byte{0});
    CHECK(host.bytes(buffer(0), 100)[60] == std::byte{0xee});
}

TEST_CASE_METHOD(Fixture, "a frame longer than the buffer is dropped, the buffer stays") {
    post(descriptor(100));
    engine.receive_frame(frame(101));
    CHECK(engine.counters().eth_rx_too_long == 1);
    CHECK_FALSE(poll(cq));
    engine.receive_frame(frame(100));
    const auto cqe = poll(cq);
    REQUIRE(cqe);
    CHECK(cqe->wqe_index == 0);
}

TEST_CASE_METHOD(Fixture, "a frame of the largest MTU is received") {
    post(descriptor(kMaxFrame));
    engine.receive_frame(frame(kMaxFrame));
    CHECK(poll(cq)->byte_len == kMaxFrame);
    engine.receive_frame(frame(kMaxFrame + 1));
    CHECK(engine.counters().eth_rx_too_long == 1);
}

TEST_CASE_METHOD(Fixture, "multicast is counted") {
    set_port(VRNIC_PORT_UP | VRNIC_PORT_ALLMULTI);
    post(descriptor(2048));
    Frame multicast = frame(100);
    multicast[0] = std::byte{1};
    engine.receive_frame(multicast);
    CHECK(engine.counters().eth_rx_multicast == 1);
}

TEST_CASE_METHOD(Fixture, "a bad descriptor completes with an error, and costs one frame") {
    vrnic_eth_rxd bad = descriptor(2048);
    std::uint8_t status = VRNIC_WC_LOC_QP_OP_ERR;
    SECTION("reserved") { bad.buf.reserved = 1; }
    SECTION("no bytes") { bad.buf.length = 0; }
    SECTION("outside memory") {
        bad.buf.addr = 0x1000;
        status = VRNIC_WC_LOC_PROT_ERR;
    }
    SECTION("at the end of everything") {
        bad.buf.addr = ~0ull;
        status = VRNIC_WC_LOC_PROT_ERR;
    }
    post(bad);
    post(descriptor(2048));
    engine.receive_frame(frame(100));
    CHECK(poll(cq)->status == status);
    CHECK(engine.counters().eth_rx_errors == 1);
    engine.receive_frame(frame(100));
    CHECK(poll(cq)->status == VRNIC_WC_SUCCESS);
}

TEST_CASE_METHOD(Fixture, "a receive producer index too far ahead stops the queue, not the device") {
    publish(5);
    engine.receive_frame(frame(100));
    CHECK(poll(cq)->syndrome == VRNIC_SYND_RING_INDEX);
    publish(1);
    engine.receive_frame(frame(100));
    CHECK_FALSE(poll(cq));
    CHECK(engine.counters().eth_rx_no_buffer == 2);
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, queue).status == VRNIC_STATUS_OK);
}

TEST_CASE_METHOD(Fixture, "nothing arrives after the queue was destroyed") {
    post(descriptor(2048));
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, queue).status == VRNIC_STATUS_OK);
    engine.receive_frame(frame(100));
    CHECK_FALSE(poll(cq));
    CHECK(host.load<std::uint64_t>(buffer(0)) == 0);
}

TEST_CASE_METHOD(Fixture, "an arrival interrupts when the CQ and its event queue are armed") {
    post(descriptor(2048));
    vrnic_le32 sequence;
    sequence = 1;
    host.store(cq.record + offsetof(vrnic_cq_dbrec, arm), sequence);
    ring(0, VRNIC_DB_TYPE_CQ_ARM, cq.cqn);
    arm(events);
    engine.receive_frame(frame(100));
    CHECK(host.interrupts[kCompletionVector] == 1);
    const auto event = next_event(events);
    REQUIRE(event);
    CHECK(event->type == VRNIC_EVENT_COMPLETION);
    CHECK(event->number == cq.cqn);
}
