// SPDX-License-Identifier: GPL-2.0-or-later
// What only the whole engine shows: calls from inside calls, budgets, links, resets, doorbells.
#include "engine.h"

#include "ethernet/port.h"
#include "unit/catch.h"
#include "unit/ethernet/rings.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

Frame ethernet_frame(std::size_t size) {
    Frame out(size);
    for (std::size_t i = 0; i < kMac.size(); ++i) out[i] = static_cast<std::byte>(kMac[i]);
    return out;
}

void settle(Guest& guest) {
    for (int i = 0; i < 1000 && guest.host.runs_scheduled != 0; ++i) {
        guest.host.runs_scheduled = 0;
        guest.engine.run();
    }
    CHECK(guest.host.runs_scheduled == 0);
}

struct Receiving : RingGuest<vrnic_eth_rxd> {
    BusAddress buffer = host.allocate(0x1000);
    Receiving() : RingGuest(VRNIC_ETH_RX) {}
    void post_buffer() {
        vrnic_eth_rxd descriptor{};
        descriptor.buf.addr = buffer;
        descriptor.buf.length = 0x1000;
        post(descriptor);
    }
};

struct Sending : RingGuest<vrnic_eth_txd> {
    BusAddress buffer = host.allocate(0x1000);
    Sending() : RingGuest(VRNIC_ETH_TX) {}
    void send(std::uint32_t size = 100) {
        vrnic_eth_txd descriptor{};
        descriptor.num_seg = 1;
        descriptor.seg[0].addr = buffer;
        descriptor.seg[0].length = size;
        post(descriptor);
        doorbell();
    }
};

}  // namespace

// ---- calls from inside calls ----

TEST_CASE_METHOD(Sending, "a netdev that answers inside send is heard afterwards, in order") {
    // Both rings on one CQ tell the order.
    vrnic_cmd_create_eth_queue rx{};
    rx.direction = VRNIC_ETH_RX;
    rx.log_size = 2;
    rx.cqn = cq.cqn;
    const BusAddress rx_ring = host.allocate(0x1000), rx_record = host.allocate(0x1000);
    rx.ring = contiguous(rx_ring, 0x1000);
    rx.dbrec = rx_record;
    const std::uint32_t rx_queue = handle(submit(VRNIC_ADMIN_CREATE_ETH_QUEUE, rx));
    const BusAddress rx_buffer = host.allocate(0x1000);
    for (int i = 0; i < 2; ++i) {
        vrnic_eth_rxd descriptor{};
        descriptor.buf.addr = rx_buffer;
        descriptor.buf.length = 0x1000;
        host.store(rx_ring + i * sizeof(descriptor), descriptor);
    }
    host.store(rx_record, std::uint32_t{2});

    bool inside = false;
    host.on_send = [&] {
        CHECK_FALSE(inside);  // the engine never recurses
        inside = true;
        REQUIRE(engine.can_receive());
        engine.receive_frame(ethernet_frame(200));
        engine.receive_frame(ethernet_frame(201));
        inside = false;
    };
    send();
    settle(*this);
    const auto sent = poll(cq), first = poll(cq), second = poll(cq);
    REQUIRE(second);
    CHECK(sent->opcode == VRNIC_OP_ETH_TX);
    CHECK(first->opcode == VRNIC_OP_ETH_RX);
    CHECK(first->qpn == rx_queue);
    CHECK(first->byte_len == 200);
    CHECK(second->byte_len == 201);
}

TEST_CASE_METHOD(Sending, "frames that come inside a call are bounded, and asked for again") {
    unsigned taken = 0;
    host.on_send = [&] {
        while (engine.can_receive()) {
            engine.receive_frame(ethernet_frame(100));
            REQUIRE(++taken < 10'000);
        }
        engine.receive_frame(ethernet_frame(100));  // although it said no
    };
    send();
    CHECK(taken > 0);
    CHECK(engine.counters().roce_rx_queue_full == 1);
    host.on_send = nullptr;
    settle(*this);
    CHECK(host.receive_readies == 1);
    CHECK(engine.can_receive());
    CHECK(engine.counters().eth_rx_no_buffer == taken);
}

TEST_CASE_METHOD(Sending, "every entry point may be called inside send") {
    int what = GENERATE(range(0, 9));
    CAPTURE(what);
    bool called = false;
    host.on_send = [&] {
        if (std::exchange(called, true)) return;
        switch (what) {
            case 0: engine.run(); break;
            case 1: engine.on_timer(); break;
            case 2: engine.wire_ready(); break;
            case 3: engine.set_link(false); break;
            case 4: engine.reset(); break;
            case 5: write(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET); break;
            case 6: doorbell(); break;
            case 7: write(VRNIC_REG_ADMIN_DB, 0xffff); break;
            case 8:
                for (int i = 0; i < 1000; ++i) write(VRNIC_REG_ADMIN_ENABLE, 1);
                break;
        }
    };
    send();
    CHECK(called);
    settle(*this);
    const bool link = what != 3;
    CHECK(((read(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) != 0) == link);
    const bool was_reset = what == 4 || what == 5;
    CHECK((engine.counters().resets == 1) == was_reset);
    CHECK((read(VRNIC_REG_ADMIN_ENABLE) == 0) == (was_reset || what == 7));
    CHECK((read(VRNIC_REG_FATAL) == VRNIC_FATAL_ADMIN_INDEX) == (what == 7));
    engine.reset();
    set_up_admin();
    CHECK(submit_empty(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_OK);
}

TEST_CASE("a device that is made to write to itself neither recurses nor loops") {
    Guest guest;
    // Every DMA access lands in the doorbells and the registers, too.
    unsigned depth = 0;
    guest.host.on_dma = [&](BusAddress, std::size_t) {
        REQUIRE(++depth < 4);
        guest.engine.write_doorbell(0, 0, 8);
        guest.engine.write_register(VRNIC_REG_EQ_DB, VRNIC_EQ_DB_ARM, 4);
        (void)guest.engine.read_register(VRNIC_REG_STATUS, 4);
        --depth;
    };
    guest.submit_empty(VRNIC_ADMIN_ALLOC_PD);
    guest.host.on_dma = nullptr;
    settle(guest);
    CHECK(guest.engine.counters().doorbell_errors == 3);
}

// ---- budgets ----

TEST_CASE_METHOD(Sending, "no run is asked for while the wire is full") {
    host.send_result = SendResult::paused;
    send();
    CHECK(host.runs_scheduled == 0);  // nothing to do until wire_ready
    engine.run();
    CHECK(host.runs_scheduled == 0);
}

TEST_CASE("no timer is set when nothing waits") {
    Guest guest;
    guest.engine.on_timer();
    guest.engine.run();
    CHECK(guest.host.timer == kNever);
}

// ---- link ----

TEST_CASE("a change of the link is told once") {
    Guest guest;
    auto async = guest.create_eq(0, 0);
    guest.engine.set_link(true);
    CHECK_FALSE(guest.next_event(async));
    guest.engine.set_link(false);
    CHECK(guest.read(VRNIC_REG_STATUS) == VRNIC_STATUS_READY);
    const auto down = guest.next_event(async);
    REQUIRE(down);
    CHECK(down->type == VRNIC_EVENT_PORT_DOWN);
    CHECK(down->number == 1);
    guest.engine.set_link(false);
    CHECK_FALSE(guest.next_event(async));
    guest.engine.set_link(true);
    CHECK(guest.next_event(async)->type == VRNIC_EVENT_PORT_UP);
}

TEST_CASE("the link outlives a reset") {
    Guest guest;
    guest.engine.set_link(false);  // and no driver is there to be told
    CHECK(guest.engine.counters().eq_overflows == 0);
    guest.engine.reset();
    CHECK(guest.read(VRNIC_REG_STATUS) == VRNIC_STATUS_READY);
}

TEST_CASE_METHOD(Receiving, "frames are dropped while the link is down") {
    post_buffer();
    engine.set_link(false);
    engine.receive_frame(ethernet_frame(100));
    CHECK(engine.counters().eth_rx_filtered == 1);
    CHECK_FALSE(poll(cq));
}

// ---- reset ----

TEST_CASE_METHOD(Receiving, "after a reset nothing of before goes on") {
    post_buffer();
    auto old_cq = cq;
    engine.reset();
    const auto writes_before = host.load<std::uint64_t>(buffer);
    unsigned accesses = 0;
    host.on_dma = [&](BusAddress, std::size_t) { ++accesses; };
    engine.receive_frame(ethernet_frame(100));
    doorbell();
    ring(0, VRNIC_DB_TYPE_CQ_ARM, old_cq.cqn);
    write(VRNIC_REG_ADMIN_DB, 1);
    engine.run();
    engine.on_timer();
    engine.wire_ready();
    CHECK(accesses == 0);
    CHECK(host.load<std::uint64_t>(buffer) == writes_before);
    CHECK_FALSE(poll(old_cq));
    host.on_dma = nullptr;

    set_up_admin();
    for (const std::uint32_t handle : {0u, 1u})
        CHECK(submit_handle(VRNIC_ADMIN_DESTROY_EQ, handle).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_CQ, old_cq.cqn).status == VRNIC_STATUS_NO_OBJECT);
}

TEST_CASE_METHOD(Sending, "frames that waited are gone with a reset") {
    host.on_send = [&] {
        engine.receive_frame(ethernet_frame(100));
        engine.reset();
    };
    send();
    host.on_send = nullptr;
    settle(*this);
    CHECK(engine.counters().resets == 1);
    CHECK(engine.counters().eth_rx_filtered == 0);  // the frame was not even looked at
}

TEST_CASE("a hundred resets, each with objects left behind") {
    Guest guest;
    const BusAddress admin_end = guest.host.allocate(0);
    for (int i = 0; i < 100; ++i) {
        guest.engine.reset();
        guest.host.release(admin_end);
        guest.set_up_admin();
        guest.create_eq(0, 0);
        guest.create_eq(1, 2);
        guest.create_cq(0, 1);
        CHECK(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_OK);
        CHECK(guest.submit_empty(VRNIC_ADMIN_ALLOC_UAR).status == VRNIC_STATUS_OK);
    }
    CHECK(guest.engine.counters().resets == 100);
}

// ---- doorbells ----

TEST_CASE_METHOD(Receiving, "doorbells that name nothing are counted and logged") {
    const std::uint32_t uar = handle(submit_empty(VRNIC_ADMIN_ALLOC_UAR));
    const Cq users = create_cq(uar, 1);
    struct Case {
        const char* what;
        std::uint32_t slot, type, number;
    };
    const std::vector<Case> cases = {
        {"SQ", 0, VRNIC_DB_TYPE_SQ, 1},
        {"SQ of the last number", 0, VRNIC_DB_TYPE_SQ, 0xffffff},
        {"RQ", 0, VRNIC_DB_TYPE_RQ, 1},
        {"CQ", 0, VRNIC_DB_TYPE_CQ_ARM, 77},
        {"CQ of the last number", 0, VRNIC_DB_TYPE_CQ_ARM, 0xffffff},
        {"CQ of the driver, from a user's slot", uar, VRNIC_DB_TYPE_CQ_ARM, cq.cqn},
        {"CQ of a user, from the driver's slot", 0, VRNIC_DB_TYPE_CQ_ARM, users.cqn},
        {"no transmit queue", 0, VRNIC_DB_TYPE_ETH_TX, 0},
        {"receive queue by the wrong number", 0, VRNIC_DB_TYPE_ETH_RX, 0},
        {"receive queue from a user's slot", uar, VRNIC_DB_TYPE_ETH_RX, queue},
        {"type 5", 0, 5, 0},
        {"type 15", 0, 15, 0},
        {"slot not allocated", uar + 1, VRNIC_DB_TYPE_SQ, 0},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const auto errors = engine.counters().doorbell_errors;
        const auto lines = host.lines.size();
        ring(c.slot, c.type, c.number);
        CHECK(engine.counters().doorbell_errors == errors + 1);
        CHECK(host.lines.size() == lines + 1);
    }
    const auto errors = engine.counters().doorbell_errors;
    doorbell();
    ring(uar, VRNIC_DB_TYPE_CQ_ARM, users.cqn);
    CHECK(engine.counters().doorbell_errors == errors);
}

TEST_CASE("doorbells of any size, place and value do no harm") {
    Receiving guest;
    std::uint64_t value = 1;
    for (int i = 0; i < 10'000; ++i) {
        value = value * 6364136223846793005u + 1442695040888963407u;
        guest.engine.write_doorbell(value >> 20 & 0x1fffff, value >> (value & 63), 1u << (i & 3));
    }
    guest.post_buffer();
    guest.engine.receive_frame(ethernet_frame(100));
    CHECK(guest.poll(guest.cq));
}
