// SPDX-License-Identifier: GPL-2.0-or-later
// The property "surprise-removed": the device is not there any more, and nobody was told.
#include <linux/pci_regs.h>

#include "support/bench.h"

using namespace vrnic::device_test;

namespace {

const Json kPath = "/machine/peripheral/v0";

void set(Machine& machine, bool removed) {
    machine.qmp().command("qom-set",
                          {{"path", kPath}, {"property", "surprise-removed"}, {"value", removed}});
}

}  // namespace

TEST_CASE("removed by surprise, every read of the device gives all ones", "[surprise]") {
    Bench bench;
    bench.bring_up();
    Qtest& qtest = bench.machine.qtest();
    const BarPlaces& places = bench.pci.places();
    set(bench.machine, true);
    for (std::uint64_t place :
         {places.registers + VRNIC_REG_ID, places.registers + VRNIC_REG_STATUS, places.doorbells,
          places.msix, places.msix + 0x800})
        CHECK(qtest.read(place, 4) == 0xffffffff);
    CHECK(qtest.read(places.registers + VRNIC_REG_CLOCK, 8) == ~0ull);
    CHECK(bench.pci.config_read(PCI_VENDOR_ID, 4) == 0xffffffff);
    CHECK(bench.pci.config_read(PCI_COMMAND, 2) == 0xffff);
    CHECK(bench.pci.config_read(PCI_REVISION_ID, 1) == 0xff);
    CHECK(bench.machine.log().find("removed by surprise") != std::string::npos);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("what is written to a device removed by surprise is lost", "[surprise]") {
    Bench bench;
    bench.bring_up();
    Qtest& qtest = bench.machine.qtest();
    const BarPlaces& places = bench.pci.places();
    const std::uint32_t configured = bench.pci.config_read(PCI_BASE_ADDRESS_0, 4);
    bench.pci.aim_vector(0, 0x8000, 0x1234);
    set(bench.machine, true);
    bench.pci.config_write(PCI_BASE_ADDRESS_0, 0x12340000, 4);
    qtest.write(places.msix, 0x9000, 4);
    qtest.write(places.registers + VRNIC_REG_ADMIN_SQ_LO, 0x5000, 4);
    qtest.write(places.doorbells, 0, 8);
    bench.machine.wire().send(std::vector<std::byte>(64));
    const std::uint64_t doorbells = bench.machine.counter("doorbells");
    set(bench.machine, false);
    CHECK(bench.machine.counter("doorbells") == doorbells);
    CHECK(bench.pci.config_read(PCI_BASE_ADDRESS_0, 4) == configured);
    CHECK(qtest.read(places.msix, 4) == 0x8000);
    CHECK(qtest.read(places.registers + VRNIC_REG_ADMIN_SQ_LO, 4) == 0);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a device removed by surprise does nothing more, and works when it is back",
          "[surprise]") {
    Bench bench;
    bench.bring_up();
    bench.driver.start_traffic(1, 1);
    REQUIRE_FALSE(bench.machine.wire().receive().empty());
    set(bench.machine, true);
    // Its timers would have sent again by now.
    while (!bench.machine.wire().receive(std::chrono::milliseconds(20)).empty()) {
    }
    CHECK(bench.machine.wire().receive(std::chrono::milliseconds(300)).empty());
    set(bench.machine, true);  // once more changes nothing
    set(bench.machine, false);
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a device may be absent from the start", "[surprise]") {
    Machine absent({.device = "id=v0,netdev=n0,bus=pcie.0,addr=4,surprise-removed=on"});
    PciDevice pci(absent, {});
    CHECK(pci.config_read(PCI_VENDOR_ID, 4) == 0xffffffff);
    set(absent, false);
    CHECK(pci.config_read(PCI_VENDOR_ID, 2) == VRNIC_PCI_VENDOR_ID);
    CHECK(absent.ends_well());
}
