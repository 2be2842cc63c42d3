// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/admin.h"

#include "unit/catch.h"
#include "unit/guest.h"

using namespace vrnic;
using namespace vrnic::test;

TEST_CASE("a queue that cannot be is not enabled") {
    struct Case {
        const char* what;
        std::uint64_t sq, cq;
        std::uint32_t size, vector;
    };
    const std::vector<Case> cases = {
        {"size 0", 0x1000, 0x2000, 0, 0},
        {"size 11", 0x1000, 0x2000, 11, 0},
        {"size of all ones", 0x1000, 0x2000, ~0u, 0},
        {"misaligned submissions", 0x1040, 0x2000, 2, 0},
        {"misaligned completions", 0x1000, 0x2001, 2, 0},
        {"submissions that wrap", ~0ull << 7, 0x2000, 2, 0},
        {"completions that wrap", 0x1000, ~0ull << 7, 2, 0},
        {"vector", 0x1000, 0x2000, 2, 16},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        Guest guest;
        guest.engine.reset();
        guest.engine.write_register(VRNIC_REG_ADMIN_SQ_LO, c.sq, 8);
        guest.engine.write_register(VRNIC_REG_ADMIN_CQ_LO, c.cq, 8);
        guest.write(VRNIC_REG_ADMIN_SIZE, c.size);
        guest.write(VRNIC_REG_ADMIN_VECTOR, c.vector);
        CHECK(guest.engine.counters().mmio_errors == 0);
        guest.write(VRNIC_REG_ADMIN_ENABLE, 1);
        CHECK(guest.read(VRNIC_REG_ADMIN_ENABLE) == 0);
        CHECK(guest.engine.counters().mmio_errors == 1);
        CHECK(guest.host.logged("admin queue: not enabled"));
        guest.write(VRNIC_REG_ADMIN_DB, 1);  // before its buffers were set
        CHECK(guest.engine.counters().mmio_errors == 2);
        CHECK(guest.read(VRNIC_REG_STATUS) == (VRNIC_STATUS_READY | VRNIC_STATUS_LINK_UP));
    }
}

TEST_CASE("commands go on around the ring, the phase counts the passes") {
    Guest guest;
    for (int i = 0; i < 50; ++i)  // submit() checks phase and tag
        CHECK(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_OK);
    CHECK(guest.engine.counters().admin_commands == 50);
    CHECK(guest.host.interrupts[Guest::kAdminVector] == 50);
}

TEST_CASE("a completion's phase is written last") {
    Guest guest;
    std::vector<std::pair<BusAddress, std::size_t>> accesses;
    guest.host.on_dma = [&](BusAddress address, std::size_t size) {
        accesses.push_back({address, size});
    };
    guest.submit_empty(VRNIC_ADMIN_ALLOC_PD);
    REQUIRE(accesses.size() == 3);
    CHECK(accesses[0].first == guest.admin_submissions());
    CHECK(accesses[1] == std::pair<BusAddress, std::size_t>{guest.admin_completions(), 120});
    CHECK(accesses[2] == std::pair<BusAddress, std::size_t>{guest.admin_completions() + 120, 8});
}

TEST_CASE("several commands behind one doorbell are all carried out, in bounded rounds") {
    FakeHost host;
    Engine engine(host, Guest::default_config());
    constexpr std::uint32_t kLogSize = 10, kCount = 1 << kLogSize;
    const BusAddress sq = host.allocate(kCount * 128), cq = host.allocate(kCount * 128);
    engine.write_register(VRNIC_REG_ADMIN_SQ_LO, sq, 8);
    engine.write_register(VRNIC_REG_ADMIN_CQ_LO, cq, 8);
    engine.write_register(VRNIC_REG_ADMIN_SIZE, kLogSize, 4);
    engine.write_register(VRNIC_REG_ADMIN_ENABLE, 1, 4);
    for (std::uint32_t i = 0; i < kCount; ++i) {
        vrnic_admin_cmd command{};
        command.opcode = VRNIC_ADMIN_ALLOC_PD;
        command.tag = static_cast<std::uint16_t>(i);
        host.store(sq + i * 128, command);
    }
    engine.write_register(VRNIC_REG_ADMIN_DB, kCount, 4);
    CHECK(engine.counters().admin_commands < 64);
    for (int i = 0; i < 1000 && engine.counters().admin_commands < kCount; ++i) {
        REQUIRE(host.runs_scheduled == 1);
        host.runs_scheduled = 0;
        engine.run();
    }
    CHECK(host.runs_scheduled == 0);
    for (std::uint32_t i = 0; i < kCount; ++i) {
        const auto completion = host.load<vrnic_admin_cpl>(cq + i * 128);
        REQUIRE(completion.tag == i);
        REQUIRE(completion.phase == 1);
        REQUIRE(completion.status == VRNIC_STATUS_OK);
    }
}

TEST_CASE("a producer index too far ahead is fatal, a reset cures it") {
    Guest guest;
    auto async = guest.create_eq(0, 0);
    guest.write(VRNIC_REG_ADMIN_DB, GENERATE(6u, 0x80000000u, 0u));  // one was taken: 5 is the last
    CHECK(guest.read(VRNIC_REG_STATUS) ==
          (VRNIC_STATUS_READY | VRNIC_STATUS_FATAL | VRNIC_STATUS_LINK_UP));
    CHECK(guest.read(VRNIC_REG_FATAL) == VRNIC_FATAL_ADMIN_INDEX);
    CHECK(guest.next_event(async)->type == VRNIC_EVENT_DEVICE_FATAL);
    CHECK(guest.read(VRNIC_REG_ADMIN_ENABLE) == 0);
    guest.write(VRNIC_REG_ADMIN_ENABLE, 1);
    CHECK(guest.read(VRNIC_REG_ADMIN_ENABLE) == 0);

    guest.write(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    CHECK(guest.read(VRNIC_REG_FATAL) == 0);
    guest.set_up_admin();
    CHECK(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_OK);
}

TEST_CASE("rings that cannot be reached are fatal, a reset cures it") {
    Guest guest;
    guest.host.hole =
        GENERATE(0, 1) ? guest.admin_submissions() : guest.admin_completions();
    guest.write(VRNIC_REG_ADMIN_DB, 1);
    guest.host.hole = 0;
    CHECK(guest.read(VRNIC_REG_FATAL) == VRNIC_FATAL_ADMIN_RING);
    CHECK(guest.host.logged("fatal"));
    guest.engine.reset();
    guest.set_up_admin();
    CHECK(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_OK);
}
