// SPDX-License-Identifier: GPL-2.0-or-later
// Every way to reset the device, with traffic running; power states.
#include <linux/pci_regs.h>

#include <functional>

#include "support/bench.h"

using namespace vrnic::device_test;

namespace {

void start_traffic(Bench& bench) {
    bench.bring_up();
    bench.driver.start_traffic(4, 1);
    REQUIRE_FALSE(bench.machine.wire().receive().empty());
}

void drain(Wire& wire) {
    while (!wire.receive(std::chrono::milliseconds(20)).empty()) {
    }
}

}  // namespace

TEST_CASE("a reset in traffic ends everything, and the device works again", "[reset]") {
    struct Row {
        const char* what;
        std::function<void(Bench&)> reset;
        bool configuration_lost;
    };
    const Row rows[] = {
        {"CONTROL.RESET",
         [](Bench& b) { b.driver.set_reg(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET); }, false},
        {"function level reset", [](Bench& b) { b.pci.function_level_reset(); }, true},
        {"system reset",
         [](Bench& b) {
             b.machine.qmp().command("system_reset");
             b.machine.qmp().event("RESET");
         },
         true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Bench bench;
        start_traffic(bench);
        const std::uint64_t resets = bench.machine.counter("resets");
        row.reset(bench);
        if (row.configuration_lost) {
            CHECK((bench.pci.config_read(PCI_COMMAND, 2) & PCI_COMMAND_MASTER) == 0);
            bench.pci.enable();
        }
        CHECK(bench.driver.reg(VRNIC_REG_STATUS) == (VRNIC_STATUS_READY | VRNIC_STATUS_LINK_UP));
        CHECK(bench.driver.reg(VRNIC_REG_ADMIN_ENABLE) == 0);
        CHECK(bench.machine.counter("resets") == resets + 1);
        drain(bench.machine.wire());
        // Retransmission timers of the old connections would be heard by now.
        CHECK(bench.machine.wire().receive(std::chrono::milliseconds(500)).empty());
        CHECK(bench.machine.counter("roce_tx_packets") == 0);
        start_traffic(bench);
        CHECK(bench.machine.ends_well());
    }
}

TEST_CASE("many resets in traffic", "[reset]") {
    Bench bench;
    for (int i = 0; i < 10; ++i) {
        start_traffic(bench);
        bench.pci.function_level_reset();
        bench.pci.enable();
        drain(bench.machine.wire());
    }
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a reset while a frame waits in the net layer", "[reset]") {
    Bench bench;
    // Nobody reads the wire: the socket fills up, then the net layer, then the device pauses.
    for (int i = 0; i < 40 && bench.machine.counter("wire_pauses") == 0; ++i) {
        start_traffic(bench);
        if (bench.machine.counter("wire_pauses") != 0) break;
        bench.driver.set_reg(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    }
    REQUIRE(bench.machine.counter("wire_pauses") > 0);
    bench.pci.function_level_reset();
    bench.pci.enable();
    drain(bench.machine.wire());
    start_traffic(bench);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("in D3hot the device is deaf, and back in D0 it is as it was", "[reset]") {
    Bench bench;
    bench.bring_up();
    const unsigned control = bench.pci.find_capability(PCI_CAP_ID_PM) + PCI_PM_CTRL;
    REQUIRE((bench.pci.config_read(control, 2) & PCI_PM_CTRL_NO_SOFT_RESET) != 0);
    const std::uint64_t commands = bench.machine.counter("admin_commands");
    const std::uint64_t resets = bench.machine.counter("resets");

    bench.pci.config_write(control, 3, 2);
    CHECK(bench.driver.reg(VRNIC_REG_ID) != VRNIC_ID);
    bench.driver.set_reg(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    bench.machine.wire().send(std::vector<std::byte>(60));
    bench.pci.config_write(control, 0, 2);

    CHECK(bench.driver.reg(VRNIC_REG_ID) == VRNIC_ID);
    CHECK(bench.machine.counter("resets") == resets);
    bench.driver.must(VRNIC_ADMIN_ALLOC_PD);
    CHECK(bench.machine.counter("admin_commands") == commands + 1);
    CHECK(bench.machine.ends_well());
}
