// SPDX-License-Identifier: GPL-2.0-or-later
// The Ethernet rings, back-pressure and the link.
#include "support/bench.h"

using namespace vrnic::device_test;

namespace {

// One Ethernet queue of 2^8 entries with its completion queue.
struct EthQueue {
    static constexpr std::uint32_t kLogSize = 8;

    EthQueue(Bench& on, std::uint8_t direction)
        : bench(on), direction(direction), cq(on.driver.create_cq(1, kLogSize)) {
        const std::size_t entry =
            direction == VRNIC_ETH_TX ? sizeof(vrnic_eth_txd) : sizeof(vrnic_eth_rxd);
        vrnic_cmd_create_eth_queue create{};
        create.direction = direction;
        create.log_size = kLogSize;
        create.cqn = cq.cqn;
        ring = bench.machine.allocate(entry << kLogSize);
        create.ring = contiguous(ring, entry << kLogSize);
        dbrec = bench.machine.allocate(64);
        create.dbrec = dbrec;
        bench.driver.must(VRNIC_ADMIN_CREATE_ETH_QUEUE, create);
    }

    void post(std::uint64_t address, std::uint32_t length) {
        const std::uint64_t place = producer & ((1u << kLogSize) - 1);
        if (direction == VRNIC_ETH_TX) {
            vrnic_eth_txd entry{};
            entry.num_seg = 1;
            entry.seg[0].addr = address;
            entry.seg[0].length = length;
            bench.machine.qtest().write_object(ring + place * sizeof(entry), entry);
        } else {
            vrnic_eth_rxd entry{};
            entry.buf.addr = address;
            entry.buf.length = length;
            bench.machine.qtest().write_object(ring + place * sizeof(entry), entry);
        }
        bench.machine.qtest().write(dbrec, ++producer, 4);
    }
    void ring_doorbell() {
        bench.driver.ring(direction == VRNIC_ETH_TX ? VRNIC_DB_TYPE_ETH_TX : VRNIC_DB_TYPE_ETH_RX,
                          direction);
    }

    Bench& bench;
    std::uint8_t direction;
    Cq cq;
    std::uint64_t ring = 0, dbrec = 0;
    std::uint32_t producer = 0;
};

std::vector<std::byte> frame_to(const std::array<std::uint8_t, 6>& mac, std::size_t size,
                                std::uint8_t fill) {
    std::vector<std::byte> frame(size, std::byte{fill});
    for (std::size_t i = 0; i < 6; ++i) frame[i] = std::byte{mac[i]};
    frame[12] = std::byte{0x88};
    frame[13] = std::byte{0xb5};  // IEEE 802 local experimental
    return frame;
}

}  // namespace

TEST_CASE("frames leave and arrive whole", "[ethernet]") {
    Bench bench;
    bench.bring_up();
    bench.driver.set_port(VRNIC_PORT_UP, 9000);
    EthQueue transmit(bench, VRNIC_ETH_TX), receive(bench, VRNIC_ETH_RX);
    const std::uint64_t buffer = bench.machine.allocate(16384);
    for (const std::size_t size : {60u, 1514u, 9014u}) {
        CAPTURE(size);
        const auto out = frame_to({0x52, 0x54, 0, 0, 0, 2}, size, 0xa5);
        bench.machine.qtest().write_bytes(buffer, out);
        transmit.post(buffer, static_cast<std::uint32_t>(size));
        transmit.ring_doorbell();
        CHECK(bench.machine.wire().receive() == out);
        CHECK(bench.driver.wait_completion(transmit.cq)->status == VRNIC_WC_SUCCESS);

        const auto in = frame_to(kMac, size, 0x5a);
        receive.post(buffer, 16384);
        bench.machine.wire().send(in);
        const auto arrived = bench.driver.wait_completion(receive.cq);
        REQUIRE(arrived);
        CHECK(arrived->byte_len == size);
        CHECK(bench.machine.qtest().read_bytes(buffer, size) == in);
    }
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a full wire pauses the device; nothing is lost, doubled or out of order", "[ethernet]") {
    constexpr std::size_t kFrames = 200, kSize = 8000;
    Bench bench;
    bench.bring_up();
    bench.driver.set_port(VRNIC_PORT_UP, 9000);
    EthQueue transmit(bench, VRNIC_ETH_TX);
    const std::uint64_t buffers = bench.machine.allocate(kFrames * 8192);
    for (std::size_t i = 0; i < kFrames; ++i) {
        bench.machine.qtest().write_bytes(
            buffers + i * 8192,
            frame_to({0x52, 0x54, 0, 0, 0, 2}, 64, static_cast<std::uint8_t>(i)));
        transmit.post(buffers + i * 8192, kSize);
    }
    transmit.ring_doorbell();
    REQUIRE(bench.machine.eventually([&] { return bench.machine.counter("wire_pauses") > 0; }));
    CHECK(bench.machine.counter("eth_tx_packets") < kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) {
        const auto frame = bench.machine.wire().receive();
        REQUIRE(frame.size() == kSize);
        REQUIRE(frame[20] == static_cast<std::byte>(i));
    }
    CHECK(bench.machine.eventually(
        [&] { return bench.machine.counter("eth_tx_packets") == kFrames; }));
    CHECK(bench.machine.wire().receive(std::chrono::milliseconds(50)).empty());
    CHECK(bench.machine.ends_well());
}

TEST_CASE("frames without a receive descriptor are dropped, not held", "[ethernet]") {
    Bench bench;
    bench.bring_up();
    EthQueue receive(bench, VRNIC_ETH_RX);
    for (int i = 0; i < 300; ++i) bench.machine.wire().send(frame_to(kMac, 200, 1));
    CHECK(
        bench.machine.eventually([&] { return bench.machine.counter("eth_rx_no_buffer") == 300; }));
    CHECK(bench.machine.ends_well());
}

TEST_CASE("descriptors that point nowhere complete with an error", "[ethernet]") {
    Bench bench;
    bench.bring_up();
    EthQueue transmit(bench, VRNIC_ETH_TX), receive(bench, VRNIC_ETH_RX);
    const BarPlaces bars;
    const std::uint64_t places[] = {0x800000000000, bars.registers, bars.msix, ~0ull - 10};
    for (const std::uint64_t address : places) {
        CAPTURE(address);
        transmit.post(address, 100);
        transmit.ring_doorbell();
        const auto sent = bench.driver.wait_completion(transmit.cq);
        REQUIRE(sent);
        CHECK(sent->status != VRNIC_WC_SUCCESS);
        receive.post(address, 2000);
        bench.machine.wire().send(frame_to(kMac, 100, 1));
        const auto arrived = bench.driver.wait_completion(receive.cq);
        REQUIRE(arrived);
        CHECK(arrived->status != VRNIC_WC_SUCCESS);
    }
    CHECK(bench.machine.wire().receive(std::chrono::milliseconds(50)).empty());
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("the link follows set_link, by the name of either end", "[ethernet]") {
    Bench bench;
    bench.bring_up();
    unsigned events = 0;
    for (const char* name : {"v0", "n0"})
        for (const bool up : {false, true}) {
            CAPTURE(name, up);
            bench.machine.qmp().command("set_link", {{"name", name}, {"up", up}});
            CHECK(((bench.driver.reg(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) != 0) == up);
            const auto event = bench.machine.qtest().read_object<vrnic_eqe>(
                bench.async_events + events * sizeof(vrnic_eqe));
            CHECK(event.seq == ++events);
            CHECK(event.type == (up ? VRNIC_EVENT_PORT_UP : VRNIC_EVENT_PORT_DOWN));
        }
    // A reset does not plug the cable in.
    bench.machine.qmp().command("set_link", {{"name", "v0"}, {"up", false}});
    bench.driver.set_reg(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    CHECK((bench.driver.reg(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) == 0);
    CHECK(bench.machine.ends_well());
}

namespace {

constexpr std::uint32_t kMany = 200;

// Fills the wire, which nobody reads, until the device pauses with most of its frames unsent.
void fill_wire(Bench& bench, EthQueue& transmit, std::uint64_t buffer) {
    for (std::uint32_t i = 0; i < kMany; ++i) transmit.post(buffer, 8000);
    transmit.ring_doorbell();
    REQUIRE(bench.machine.eventually([&] { return bench.machine.counter("wire_pauses") > 0; }));
    REQUIRE(bench.machine.counter("eth_tx_packets") < kMany);
}

unsigned read_wire(Bench& bench) {
    unsigned frames = 0;
    while (!bench.machine.wire().receive(std::chrono::milliseconds(200)).empty()) ++frames;
    return frames;
}

}  // namespace

TEST_CASE("a link that goes down with a frame in the net layer loses it and goes on",
          "[ethernet]") {
    Bench bench;
    bench.bring_up();
    bench.driver.set_port(VRNIC_PORT_UP, 9000);
    EthQueue transmit(bench, VRNIC_ETH_TX);
    const std::uint64_t buffer = bench.machine.allocate(8192);
    fill_wire(bench, transmit, buffer);

    bool by_netdev_del = false;
    SECTION("set_link") {
        bench.machine.qmp().command("set_link", {{"name", "v0"}, {"up", false}});
    }
    SECTION("netdev_del") {
        bench.machine.qmp().command("netdev_del", {{"id", "n0"}});
        by_netdev_del = true;
    }
    // Nobody reads the wire, and yet every descriptor comes back.
    CHECK(bench.machine.eventually([&] {
        while (bench.driver.poll(transmit.cq)) {
        }
        return transmit.cq.consumed == kMany;
    }));
    if (!by_netdev_del) {
        bench.machine.qmp().command("set_link", {{"name", "v0"}, {"up", true}});
        (void)read_wire(bench);
        transmit.post(buffer, 100);
        transmit.ring_doorbell();
        CHECK(bench.machine.wire().receive().size() == 100);
    }
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a frame that waits in the net layer does not outlive a reset", "[ethernet]") {
    Bench bench;
    bench.bring_up();
    bench.driver.set_port(VRNIC_PORT_UP, 9000);
    EthQueue transmit(bench, VRNIC_ETH_TX);
    fill_wire(bench, transmit, bench.machine.allocate(8192));
    const std::uint64_t taken = bench.machine.counter("eth_tx_packets");
    bench.pci.function_level_reset();
    CHECK(read_wire(bench) == taken - 1);  // the last one was the net layer's
    CHECK(bench.machine.ends_well());
}
