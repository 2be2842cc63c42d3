// SPDX-License-Identifier: GPL-2.0-or-later
// The admin queue under a driver that gets everything wrong.
#include <linux/pci_regs.h>

#include "base/random.h"
#include "support/bench.h"

using namespace vrnic::device_test;

TEST_CASE("any bytes as a command get an answer", "[admin]") {
    Bench bench;
    bench.bring_up();
    vrnic::Random random(42);
    const std::uint16_t known[] = {
        VRNIC_ADMIN_QUERY_DEVICE,     VRNIC_ADMIN_QUERY_COUNTERS,    VRNIC_ADMIN_CREATE_EQ,
        VRNIC_ADMIN_DESTROY_EQ,       VRNIC_ADMIN_ALLOC_UAR,         VRNIC_ADMIN_FREE_UAR,
        VRNIC_ADMIN_CREATE_ETH_QUEUE, VRNIC_ADMIN_DESTROY_ETH_QUEUE, VRNIC_ADMIN_SET_PORT,
        VRNIC_ADMIN_ALLOC_PD,         VRNIC_ADMIN_DEALLOC_PD,        VRNIC_ADMIN_SET_GID,
        VRNIC_ADMIN_REG_MR,           VRNIC_ADMIN_DEREG_MR,          VRNIC_ADMIN_CREATE_CQ,
        VRNIC_ADMIN_DESTROY_CQ,       VRNIC_ADMIN_CREATE_QP,         VRNIC_ADMIN_MODIFY_QP,
        VRNIC_ADMIN_QUERY_QP,         VRNIC_ADMIN_DESTROY_QP,        VRNIC_ADMIN_CREATE_COUNTERS,
        VRNIC_ADMIN_DESTROY_COUNTERS, VRNIC_ADMIN_BIND_COUNTERS,     VRNIC_ADMIN_QUERY_OBJECT};
    unsigned refused = 0;
    for (int i = 0; i < 1500; ++i) {
        vrnic_admin_cmd command{};
        command.opcode = random.next() % 8 ? known[random.next() % std::size(known)]
                                           : static_cast<std::uint16_t>(random.next());
        // Few bytes, mostly small: all random would never get past the reserved fields.
        const unsigned bytes = random.next() % 4 ? random.next() % 10 : sizeof(command.payload);
        for (unsigned n = 0; n < bytes; ++n)
            command.payload[random.next() % (random.next() % 2 ? 48 : sizeof(command.payload))] =
                static_cast<std::uint8_t>(random.next() >> (random.next() % 8));
        refused += bench.driver.command(command).status != VRNIC_STATUS_OK;
    }
    CHECK(refused > 100);
    CHECK(bench.machine.counter("admin_errors") == refused);
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("admin rings that the device cannot reach", "[admin]") {
    struct Row {
        const char* what;
        std::uint64_t sq, cq;  // 0: in memory
    };
    constexpr std::uint64_t kHpet = 0xfed00000;  // a timer that every PC has
    const BarPlaces bars;
    const Row rows[] = {
        {"commands outside memory", 0x800000000000, 0},
        {"completions outside memory", 0, 0x800000000000},
        {"commands past the end of memory", Machine::kRam, 0},
        {"commands in the device's own registers", bars.registers, 0},
        {"completions in the device's own registers", 0, bars.registers},
        {"completions in the device's own event doorbells", 0, bars.registers + VRNIC_REG_EQ_DB},
        {"completions in the device's own doorbells", 0, bars.doorbells},
        {"completions in the device's own MSI-X table", 0, bars.msix},
        {"commands in another device", kHpet, 0},
        {"completions in another device", 0, kHpet},
        {"completions in ROM", 0, 0xffff0000},
        {"the last bytes of the address space", ~0ull - 255, 0},
    };
    Bench bench;
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const std::uint64_t memory = bench.machine.allocate(4096);
        bench.driver.set_reg(VRNIC_REG_ADMIN_ENABLE, 0);
        bench.driver.set_reg64(VRNIC_REG_ADMIN_SQ_LO, row.sq ? row.sq : memory);
        bench.driver.set_reg64(VRNIC_REG_ADMIN_CQ_LO, row.cq ? row.cq : memory + 2048);
        bench.driver.set_reg(VRNIC_REG_ADMIN_SIZE, 1);
        bench.driver.set_reg(VRNIC_REG_ADMIN_VECTOR, VRNIC_NO_VECTOR);
        bench.driver.set_reg(VRNIC_REG_ADMIN_ENABLE, 1);
        REQUIRE(bench.driver.reg(VRNIC_REG_ADMIN_ENABLE) == 1);
        bench.driver.set_reg(VRNIC_REG_ADMIN_DB, 1);
        CHECK(bench.machine.eventually(
            [&] { return bench.driver.reg(VRNIC_REG_FATAL) == VRNIC_FATAL_ADMIN_RING; }));
        CHECK((bench.driver.reg(VRNIC_REG_STATUS) & VRNIC_STATUS_FATAL) != 0);
        bench.require_works_after_reset();
    }
    CHECK(bench.machine.log().find("fatal error") != std::string::npos);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("admin rings that are not even tried", "[admin]") {
    struct Row {
        const char* what;
        std::uint64_t sq, cq;
        std::uint32_t size, vector;
    };
    constexpr std::uint32_t kNone = VRNIC_NO_VECTOR;
    const Row rows[] = {
        {"commands misaligned", 0x100040, 0x101000, 1, kNone},
        {"completions misaligned", 0x100000, 0x101008, 1, kNone},
        {"size of zero", 0x100000, 0x101000, 0, kNone},
        {"size too large", 0x100000, 0x101000, 11, kNone},
        {"size huge", 0x100000, 0x101000, ~0u, kNone},
        {"no such vector", 0x100000, 0x101000, 1, 16},
        {"ring wraps around", 0ull - 128, 0x101000, 1, kNone},
    };
    Bench bench;
    for (const Row& row : rows) {
        CAPTURE(row.what);
        bench.driver.set_reg64(VRNIC_REG_ADMIN_SQ_LO, row.sq);
        bench.driver.set_reg64(VRNIC_REG_ADMIN_CQ_LO, row.cq);
        bench.driver.set_reg(VRNIC_REG_ADMIN_SIZE, row.size);
        bench.driver.set_reg(VRNIC_REG_ADMIN_VECTOR, row.vector);
        bench.driver.set_reg(VRNIC_REG_ADMIN_ENABLE, 1);
        CHECK(bench.driver.reg(VRNIC_REG_ADMIN_ENABLE) == 0);
        bench.driver.set_reg(VRNIC_REG_ADMIN_DB, 1);
    }
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a producer index ahead of the ring is fatal until a reset", "[admin]") {
    Bench bench;
    bench.driver.set_up_admin(2);
    bench.driver.set_reg(VRNIC_REG_ADMIN_DB, 5);
    CHECK(bench.driver.reg(VRNIC_REG_FATAL) == VRNIC_FATAL_ADMIN_INDEX);
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("without bus mastering the device reaches nothing", "[admin]") {
    Bench bench;
    bench.driver.set_up_admin();
    bench.pci.config_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    bench.driver.set_reg(VRNIC_REG_ADMIN_DB, 1);
    CHECK(bench.machine.eventually(
        [&] { return bench.driver.reg(VRNIC_REG_FATAL) == VRNIC_FATAL_ADMIN_RING; }));
    bench.pci.config_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("the admin ring goes round many times", "[admin]") {
    Bench bench;
    bench.driver.set_up_admin(1);
    for (int i = 0; i < 50; ++i) {
        vrnic_cmd_handle free{};
        free.handle = bench.driver.must(VRNIC_ADMIN_ALLOC_PD).handle();
        bench.driver.must(VRNIC_ADMIN_DEALLOC_PD, free);
    }
    CHECK(bench.machine.ends_well());
}
