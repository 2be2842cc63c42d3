// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/events.h"

#include "unit/catch.h"
#include "unit/fake_host.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

constexpr std::uint32_t kArm = VRNIC_EQ_DB_ARM;
constexpr std::uint32_t kVector = 3;

struct Fixture {
    FakeHost host;
    Counters counters;
    Faults faults{host, counters, 0};
    EventQueues events{host, counters, faults, 4};
    BusAddress ring = host.allocate(0x1000);

    vrnic_cmd_create_eq fields(std::uint32_t eqn = 0, std::uint8_t log_size = 2) {
        vrnic_cmd_create_eq cmd{};
        cmd.eqn = eqn;
        cmd.vector = kVector;
        cmd.log_size = log_size;
        cmd.ring = contiguous(ring, 0x1000);
        return cmd;
    }
    vrnic_eqe entry(std::uint32_t position) {
        return host.load<vrnic_eqe>(ring + position * sizeof(vrnic_eqe));
    }
    unsigned interrupts() { return host.interrupts[kVector]; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an event is written, its sequence last, and interrupts once when armed") {
    REQUIRE(events.create(fields()));
    events.doorbell(0, kArm);
    CHECK(interrupts() == 0);
    std::vector<std::pair<BusAddress, std::size_t>> accesses;
    host.on_dma = [&](BusAddress address, std::size_t size) { accesses.push_back({address, size}); };
    events.raise(VRNIC_EVENT_QP_FATAL, 5, 6);
    CHECK(accesses == decltype(accesses){{ring, 24}, {ring + 24, 8}});
    CHECK(entry(0).type == VRNIC_EVENT_QP_FATAL);
    CHECK(entry(0).number == 5);
    CHECK(entry(0).code == 6);
    CHECK(entry(0).seq == 1);
    CHECK(interrupts() == 1);
    events.raise(VRNIC_EVENT_QP_FATAL, 5);
    CHECK(interrupts() == 1);
    CHECK(counters.interrupts == 1);
}

TEST_CASE_METHOD(Fixture, "arming with an event waiting interrupts at once") {
    REQUIRE(events.create(fields()));
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    events.doorbell(0, 0);  // no arm
    CHECK(interrupts() == 0);
    events.doorbell(0, kArm);
    CHECK(interrupts() == 1);
    events.doorbell(0, 1 | kArm);
    CHECK(interrupts() == 1);
    events.doorbell(0, 1);  // not armed any more
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    CHECK(interrupts() == 1);
}

TEST_CASE_METHOD(Fixture, "a full queue loses events and says so; then it goes on") {
    REQUIRE(events.create(fields()));
    for (int i = 0; i < 5; ++i) events.raise(VRNIC_EVENT_PORT_UP, 1);
    CHECK(counters.eq_overflows == 1);
    CHECK(host.logged("EQ 0"));
    events.doorbell(0, 4);
    events.raise(VRNIC_EVENT_PORT_DOWN, 1);
    CHECK(entry(0).type == VRNIC_EVENT_PORT_DOWN);
    CHECK(entry(0).seq == 5);
}

TEST_CASE_METHOD(Fixture, "an impossible consumer index is refused") {
    REQUIRE(events.create(fields()));
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    events.doorbell(0, 1);
    const std::uint32_t bad = GENERATE(0u, 3u, 0x40000000u, 0x7fffffffu);
    events.doorbell(0, bad | kArm);
    CHECK(counters.mmio_errors == 1);
    CHECK(interrupts() == 0);
    CHECK(events.find(0)->consumed == 1);
}

TEST_CASE_METHOD(Fixture, "a queue that cannot be written stops") {
    REQUIRE(events.create(fields()));
    host.hole = ring;
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    CHECK(counters.dma_errors == 1);
    host.hole = 0;
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    CHECK(counters.eq_overflows == 1);
    CHECK(entry(0).seq == 0);
}

TEST_CASE_METHOD(Fixture, "events and doorbells without a queue are counted") {
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    events.completion(63, 1);
    CHECK(counters.eq_overflows == 2);
    events.doorbell(0, kArm);
    events.doorbell(63, kArm);
    CHECK(counters.mmio_errors == 2);
}

TEST_CASE_METHOD(Fixture, "a bad event queue is refused with its field") {
    struct Case {
        const char* what;
        void (*spoil)(vrnic_cmd_create_eq&);
        std::uint32_t detail;
    };
    const std::vector<Case> cases = {
        {"number", [](auto& c) { c.eqn = VRNIC_MAX_EQS; }, VRNIC_FIELD(vrnic_cmd_create_eq, eqn)},
        {"number of all ones", [](auto& c) { c.eqn = ~0u; }, VRNIC_FIELD(vrnic_cmd_create_eq, eqn)},
        {"vector", [](auto& c) { c.vector = 4; }, VRNIC_FIELD(vrnic_cmd_create_eq, vector)},
        {"one entry", [](auto& c) { c.log_size = 0; }, VRNIC_FIELD(vrnic_cmd_create_eq, log_size)},
        {"too large", [](auto& c) { c.log_size = 17; }, VRNIC_FIELD(vrnic_cmd_create_eq, log_size)},
        {"hugest", [](auto& c) { c.log_size = 255; }, VRNIC_FIELD(vrnic_cmd_create_eq, log_size)},
        {"misaligned", [](auto& c) { c.ring.offset = 8; },
         VRNIC_FIELD(vrnic_cmd_create_eq, ring) + offsetof(vrnic_page_list, offset)},
        {"ring past its memory", [](auto& c) { c.log_size = 8; },
         VRNIC_FIELD(vrnic_cmd_create_eq, ring) + offsetof(vrnic_page_list, num_pages)},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        vrnic_cmd_create_eq cmd = fields();
        c.spoil(cmd);
        const auto result = events.create(cmd);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == VRNIC_STATUS_INVALID);
        CHECK(result.error().detail == c.detail);
    }
}

TEST_CASE_METHOD(Fixture, "event queues are made, ended, reset") {
    REQUIRE(events.create(fields(5)));
    CHECK(events.create(fields(5)).error().status == VRNIC_STATUS_BUSY);
    events.find(5)->users = 1;
    CHECK(events.destroy(5).error().status == VRNIC_STATUS_BUSY);
    events.find(5)->users = 0;
    CHECK(events.destroy(5));
    CHECK(events.destroy(5).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(events.destroy(VRNIC_MAX_EQS).error().status == VRNIC_STATUS_NO_OBJECT);
    vrnic_cmd_create_eq silent = fields(0);
    silent.vector = VRNIC_NO_VECTOR;
    REQUIRE(events.create(silent));
    events.doorbell(0, kArm);
    events.raise(VRNIC_EVENT_PORT_UP, 1);
    CHECK(counters.interrupts == 0);
    events.reset();
    CHECK(events.find(0) == nullptr);
}
