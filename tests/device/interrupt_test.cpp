// SPDX-License-Identifier: GPL-2.0-or-later
// MSI-X: seen as the words it writes to memory.
#include "support/bench.h"

using namespace vrnic::device_test;

namespace {

constexpr std::uint32_t kWord = 0xcafe0001;

}  // namespace

TEST_CASE("an admin completion raises its vector", "[interrupt]") {
    Bench bench;
    const std::uint64_t target = bench.machine.allocate(4096);
    bench.pci.aim_vector(3, target, kWord);
    bench.driver.set_up_admin(4, 3);
    bench.driver.must(VRNIC_ADMIN_ALLOC_PD);
    CHECK(bench.machine.eventually([&] { return bench.machine.qtest().read(target, 4) == kWord; }));
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a masked vector waits as pending, and comes when it is unmasked", "[interrupt]") {
    Bench bench;
    const std::uint64_t target = bench.machine.allocate(4096);
    bench.pci.aim_vector(0, target, kWord);
    bench.pci.mask_vector(0, true);
    bench.driver.set_up_admin(4, 0);
    bench.driver.must(VRNIC_ADMIN_ALLOC_PD);
    CHECK(bench.machine.eventually([&] { return bench.pci.pending(0); }));
    CHECK(bench.machine.qtest().read(target, 4) == 0);
    bench.pci.mask_vector(0, false);
    CHECK(bench.machine.qtest().read(target, 4) == kWord);
    CHECK_FALSE(bench.pci.pending(0));
    CHECK(bench.machine.ends_well());
}

TEST_CASE("an event queue interrupts when it is armed, once", "[interrupt]") {
    Bench bench;
    const std::uint64_t target = bench.machine.allocate(4096);
    bench.pci.aim_vector(1, target, kWord);
    bench.driver.set_up_admin();
    const std::uint64_t ring = bench.driver.create_eq(0, 1);
    const auto arm = [&](std::uint32_t consumed) {
        bench.driver.set_reg(VRNIC_REG_EQ_DB, VRNIC_EQ_DB_ARM | consumed);
    };
    const auto event = [&](unsigned index) {
        return bench.machine.qtest().read_object<vrnic_eqe>(ring + index * sizeof(vrnic_eqe));
    };
    const auto interrupted = [&] {
        const bool came = bench.machine.qtest().read(target, 4) == kWord;
        bench.machine.qtest().write(target, 0, 4);
        return came;
    };
    const auto set_link = [&](bool up) {
        bench.machine.qmp().command("set_link", {{"name", "v0"}, {"up", up}});
    };

    set_link(false);
    CHECK(bench.machine.eventually([&] { return event(0).seq == 1; }));
    CHECK(event(0).type == VRNIC_EVENT_PORT_DOWN);
    CHECK_FALSE(interrupted());  // never armed
    arm(0);                      // an event is there already
    CHECK(interrupted());
    set_link(true);
    CHECK(event(1).type == VRNIC_EVENT_PORT_UP);
    CHECK_FALSE(interrupted());  // not armed again
    arm(2);                      // both consumed
    CHECK_FALSE(interrupted());
    set_link(false);
    CHECK(interrupted());
    CHECK(bench.machine.ends_well());
}

TEST_CASE("vectors aimed at the device itself", "[interrupt]") {
    const BarPlaces bars;
    struct Row {
        const char* what;
        std::uint64_t target;
        std::uint32_t data;
    };
    const Row rows[] = {
        {"its reset", bars.registers + VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET},
        {"its admin doorbell", bars.registers + VRNIC_REG_ADMIN_DB, 1000},
        {"its admin doorbell, with more work", bars.registers + VRNIC_REG_ADMIN_DB, 3},
        {"its event doorbell", bars.registers + VRNIC_REG_EQ_DB, VRNIC_EQ_DB_ARM},
        {"its doorbells", bars.doorbells, 0},
        {"its MSI-X table", bars.msix + 12, 1},
        {"its pending bits", bars.msix + 0x800, ~0u},
        {"nothing", 0xd0000000, 1},
        {"ROM", 0xffff0000, 1},
        {"the end of the address space", ~3ull, 1},
    };
    Bench bench;
    for (const Row& row : rows) {
        CAPTURE(row.what);
        bench.pci.aim_vector(2, row.target, row.data);
        bench.driver.set_up_admin(4, 2);
        // From within the MMIO access, and from a bottom half: more commands than one access does.
        for (std::uint32_t i = 0; i < 14; ++i) {
            vrnic_admin_cmd command{};
            command.opcode = VRNIC_ADMIN_ALLOC_PD;
            bench.machine.qtest().write_object(
                bench.driver.admin_submissions() + i * VRNIC_ADMIN_ENTRY_SIZE, command);
        }
        bench.driver.set_reg(VRNIC_REG_ADMIN_DB, 14);
        // With the link as well: that comes from the monitor.
        bench.machine.qmp().command("set_link", {{"name", "v0"}, {"up", false}});
        bench.machine.qmp().command("set_link", {{"name", "v0"}, {"up", true}});
        bench.require_works_after_reset();
    }
    CHECK(bench.machine.ends_well());
}
