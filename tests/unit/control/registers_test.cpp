// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/registers.h"

#include <map>

#include "base/random.h"
#include "unit/catch.h"
#include "unit/guest.h"

using namespace vrnic;
using namespace vrnic::test;

TEST_CASE("identity and reset values") {
    Guest guest;
    guest.engine.reset();
    struct Case {
        std::uint64_t offset;
        std::uint32_t value;
    };
    const std::vector<Case> cases = {
        {VRNIC_REG_ID, 0x434e5256},
        {VRNIC_REG_ABI, VRNIC_ABI_MAJOR << 16 | VRNIC_ABI_MINOR},
        {VRNIC_REG_STATUS, VRNIC_STATUS_READY | VRNIC_STATUS_LINK_UP},
        {VRNIC_REG_CONTROL, 0},
        {VRNIC_REG_FATAL, 0},
        {VRNIC_REG_MAC_LO, 0x12005452},
        {VRNIC_REG_MAC_HI, 0x5634},
        {VRNIC_REG_DB_STRIDE, 12},
        {VRNIC_REG_DB_COUNT, 256},
        {VRNIC_REG_VECTORS, 16},
        {VRNIC_REG_ADMIN_SQ_LO, 0},
        {VRNIC_REG_ADMIN_SQ_HI, 0},
        {VRNIC_REG_ADMIN_CQ_LO, 0},
        {VRNIC_REG_ADMIN_CQ_HI, 0},
        {VRNIC_REG_ADMIN_SIZE, 0},
        {VRNIC_REG_ADMIN_VECTOR, VRNIC_NO_VECTOR},
        {VRNIC_REG_ADMIN_ENABLE, 0},
        {VRNIC_REG_ADMIN_DB, 0},
        {VRNIC_REG_EQ_DB, 0},
    };
    for (const Case& c : cases) {
        CAPTURE(c.offset);
        CHECK(guest.read(c.offset) == c.value);
    }
    CHECK(guest.engine.counters().mmio_errors == 0);
    CHECK(guest.engine.read_register(VRNIC_REG_MAC_LO, 8) == 0x563412005452);
}

TEST_CASE("read-write registers keep what is written, whole and in halves") {
    Guest guest;
    guest.engine.reset();
    guest.engine.write_register(VRNIC_REG_ADMIN_SQ_LO, 0x1122334455667780, 8);
    CHECK(guest.read(VRNIC_REG_ADMIN_SQ_LO) == 0x55667780);
    CHECK(guest.read(VRNIC_REG_ADMIN_SQ_HI) == 0x11223344);
    guest.write(VRNIC_REG_ADMIN_SQ_HI, 0xaabbccdd);
    CHECK(guest.engine.read_register(VRNIC_REG_ADMIN_SQ_LO, 8) == 0xaabbccdd55667780);
    guest.write(VRNIC_REG_ADMIN_CQ_LO, 0x80);
    guest.write(VRNIC_REG_ADMIN_CQ_HI, 1);
    CHECK(guest.engine.read_register(VRNIC_REG_ADMIN_CQ_LO, 8) == 0x100000080);
    guest.write(VRNIC_REG_ADMIN_SIZE, 7);
    CHECK(guest.read(VRNIC_REG_ADMIN_SIZE) == 7);
    guest.write(VRNIC_REG_ADMIN_VECTOR, 3);
    CHECK(guest.read(VRNIC_REG_ADMIN_VECTOR) == 3);
    CHECK(guest.engine.counters().mmio_errors == 0);
}

TEST_CASE("accesses that the manual does not allow read as zero, do nothing, are counted") {
    struct Case {
        const char* what;
        std::uint64_t offset;
        unsigned size;
        bool write;
    };
    const std::vector<Case> cases = {
        {"1 byte", VRNIC_REG_ID, 1, false},
        {"2 bytes", VRNIC_REG_ID, 2, false},
        {"no bytes", VRNIC_REG_ID, 0, false},
        {"16 bytes", VRNIC_REG_ID, 16, false},
        {"misaligned", VRNIC_REG_ID + 1, 4, false},
        {"8 bytes of 32-bit registers", VRNIC_REG_ID, 8, false},
        {"8 bytes from a high half", VRNIC_REG_ADMIN_SQ_HI, 8, false},
        {"8 bytes of an EQ doorbell", VRNIC_REG_EQ_DB, 8, false},
        {"hole", 0x014, 4, false},
        {"between EQ doorbells", VRNIC_REG_EQ_DB + 4, 4, false},
        {"behind the EQ doorbells", VRNIC_REG_EQ_DB + VRNIC_MAX_EQS * 8, 4, false},
        {"write of the clock", VRNIC_REG_CLOCK, 8, true},
        {"8 bytes across the clock's end", VRNIC_REG_CLOCK + 4, 8, false},
        {"behind the clock", VRNIC_REG_CLOCK + 8, 4, false},
        {"last of the BAR", VRNIC_BAR_REGS_SIZE - 4, 4, false},
        {"past the BAR", VRNIC_BAR_REGS_SIZE, 4, false},
        {"last of everything", ~0ull - 3, 4, false},
        {"write of a read-only register", VRNIC_REG_ID, 4, true},
        {"write of a read-only pair", VRNIC_REG_MAC_LO, 8, true},
        {"write of 1 byte", VRNIC_REG_CONTROL, 1, true},
        {"write of a hole", 0x060, 4, true},
        {"write past the BAR", ~0ull - 3, 4, true},
        {"write of an EQ doorbell, 8 bytes", VRNIC_REG_EQ_DB, 8, true},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        Guest guest;
        const auto before = guest.engine.counters().mmio_errors;
        if (c.write)
            guest.engine.write_register(c.offset, 1, c.size);
        else
            CHECK(guest.engine.read_register(c.offset, c.size) == 0);
        CHECK(guest.engine.counters().mmio_errors == before + 1);
        CHECK(guest.read(VRNIC_REG_STATUS) == (VRNIC_STATUS_READY | VRNIC_STATUS_LINK_UP));
        guest.submit_empty(VRNIC_ADMIN_ALLOC_PD);  // the device still works
    }
}

TEST_CASE("the clock tells the time of completions, whole and in halves") {
    Guest guest;
    guest.host.time = 0x1ffff'fff0;
    CHECK(guest.engine.read_register(VRNIC_REG_CLOCK, 8) == 0x1ffff'fff0);
    CHECK(guest.read(VRNIC_REG_CLOCK) == 0xffff'fff0);
    guest.host.time += 0x20;  // the high half is that of the low one before
    CHECK(guest.read(VRNIC_REG_CLOCK + 4) == 0x1);
    CHECK(guest.engine.read_register(VRNIC_REG_CLOCK, 8) == 0x2'0000'0010);
    CHECK(guest.engine.counters().mmio_errors == 0);
    // So that it can be mapped alone.
    for (std::uint64_t offset = 0; offset < 0x1000; offset += 4) {
        if (offset < 8) continue;
        CHECK(guest.read(VRNIC_REG_CLOCK + offset) == 0);
    }
    CHECK(guest.engine.counters().mmio_errors == 0x1000 / 4 - 2);
}

TEST_CASE("the admin registers are fixed while the queue is enabled") {
    Guest guest;
    for (const std::uint64_t offset :
         {VRNIC_REG_ADMIN_SQ_LO, VRNIC_REG_ADMIN_SQ_HI, VRNIC_REG_ADMIN_CQ_LO,
          VRNIC_REG_ADMIN_CQ_HI, VRNIC_REG_ADMIN_SIZE, VRNIC_REG_ADMIN_VECTOR}) {
        CAPTURE(offset);
        const std::uint32_t before = guest.read(offset);
        const auto errors = guest.engine.counters().mmio_errors;
        guest.write(offset, before ^ 0x80);
        CHECK(guest.read(offset) == before);
        CHECK(guest.engine.counters().mmio_errors == errors + 1);
    }
    guest.write(VRNIC_REG_ADMIN_ENABLE, 0);
    guest.write(VRNIC_REG_ADMIN_SIZE, 5);
    CHECK(guest.read(VRNIC_REG_ADMIN_SIZE) == 5);
}

TEST_CASE("CONTROL and ADMIN_ENABLE take only their own bits") {
    Guest guest;
    const auto resets = guest.engine.counters().resets;
    guest.write(VRNIC_REG_CONTROL, 0);
    guest.write(VRNIC_REG_CONTROL, 2);
    guest.write(VRNIC_REG_CONTROL, ~0u);
    CHECK(guest.engine.counters().resets == resets);
    guest.write(VRNIC_REG_ADMIN_ENABLE, 2);
    CHECK(guest.read(VRNIC_REG_ADMIN_ENABLE) == 1);
    guest.write(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    CHECK(guest.engine.counters().resets == resets + 1);
    CHECK(guest.read(VRNIC_REG_ADMIN_ENABLE) == 0);
}

TEST_CASE("whatever is written to the registers, a reset brings the device back") {
    Guest guest;
    Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t offset =
            random.chance_ppm(900'000) ? random.next() % 0x1300 & ~3ull : random.next() % 0x10010;
        const std::uint64_t value =
            random.chance_ppm(500'000) ? random.next() % 16 : random.next();
        const unsigned size = 1u << random.next() % 4;
        if (offset == VRNIC_REG_CONTROL && random.chance_ppm(990'000)) continue;
        guest.engine.write_register(offset, value, size);
        (void)guest.engine.read_register(offset, size);
    }
    guest.engine.reset();
    guest.set_up_admin();
    guest.submit_empty(VRNIC_ADMIN_ALLOC_PD);
}
