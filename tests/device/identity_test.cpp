// SPDX-License-Identifier: GPL-2.0-or-later
// What the guest sees of the device before it uses it.
#include <linux/pci_regs.h>

#include "support/bench.h"

using namespace vrnic::device_test;

TEST_CASE("configuration space says what vrnic is", "[identity]") {
    Bench bench;
    CHECK(bench.pci.config_read(PCI_VENDOR_ID, 2) == VRNIC_PCI_VENDOR_ID);
    CHECK(bench.pci.config_read(PCI_DEVICE_ID, 2) == VRNIC_PCI_DEVICE_ID);
    CHECK(bench.pci.config_read(PCI_REVISION_ID, 1) == VRNIC_ABI_MAJOR);
    CHECK(bench.pci.config_read(PCI_CLASS_DEVICE, 2) == 0x0200);

    const unsigned express = bench.pci.find_capability(PCI_CAP_ID_EXP);
    REQUIRE(express != 0);
    CHECK((bench.pci.config_read(express + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR) != 0);
    CHECK(bench.pci.find_capability(PCI_CAP_ID_PM) != 0);
    const unsigned msix = bench.pci.find_capability(PCI_CAP_ID_MSIX);
    REQUIRE(msix != 0);
    CHECK((bench.pci.config_read(msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1 == 16);
    CHECK((bench.pci.config_read(msix + PCI_MSIX_TABLE, 4) & PCI_MSIX_TABLE_BIR) == VRNIC_BAR_MSIX);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("BARs have the sizes and kinds of the manual", "[identity]") {
    struct Row {
        unsigned bar;
        std::uint32_t kind;
        std::uint32_t size;
    };
    const Row rows[] = {
        {PCI_BASE_ADDRESS_0, 0, VRNIC_BAR_REGS_SIZE},
        {PCI_BASE_ADDRESS_2, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, 1 << 20},
        {PCI_BASE_ADDRESS_4, 0, 4096},
    };
    Bench bench;
    for (const Row& row : rows) {
        bench.pci.config_write(row.bar, ~0u, 4);
        const std::uint32_t value = bench.pci.config_read(row.bar, 4);
        CHECK((value & 0xf) == row.kind);
        CHECK(~(value & ~0xfu) + 1 == row.size);
    }
    CHECK(bench.machine.ends_well());
}

TEST_CASE("identity registers", "[identity]") {
    Bench bench;
    CHECK(bench.driver.reg(VRNIC_REG_ID) == VRNIC_ID);
    CHECK(bench.driver.reg(VRNIC_REG_ABI) == (VRNIC_ABI_MAJOR << 16 | VRNIC_ABI_MINOR));
    CHECK(bench.driver.reg(VRNIC_REG_STATUS) == (VRNIC_STATUS_READY | VRNIC_STATUS_LINK_UP));
    CHECK(bench.driver.reg(VRNIC_REG_FATAL) == VRNIC_FATAL_NONE);
    CHECK(bench.driver.reg(VRNIC_REG_MAC_LO) == 0x00005452);
    CHECK(bench.driver.reg(VRNIC_REG_MAC_HI) == 0x0100);
    CHECK(bench.driver.reg(VRNIC_REG_DB_STRIDE) == 12);
    CHECK(bench.driver.reg(VRNIC_REG_DB_COUNT) == 256);
    CHECK(bench.driver.reg(VRNIC_REG_VECTORS) == 16);
    CHECK(bench.machine.human("info pci").find("1234:5652") != std::string::npos);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("capabilities are filled and consistent", "[identity]") {
    Bench bench;
    bench.driver.set_up_admin();
    const vrnic_device_caps caps = bench.driver.capabilities();
    CHECK(caps.max_uars == 256);
    CHECK(caps.max_qps > 0);
    CHECK(caps.max_cqs > 0);
    CHECK(caps.max_mrs > 0);
    CHECK(caps.max_path_mtu == 4096);
    CHECK(caps.max_mtu == 9000);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("properties reach the guest", "[identity]") {
    Bench bench({.device = "id=v0,netdev=n0,bus=pcie.0,addr=4,vectors=5,doorbell-size=64K,seed=7"});
    CHECK(bench.driver.reg(VRNIC_REG_DB_COUNT) == 16);
    CHECK(bench.driver.reg(VRNIC_REG_VECTORS) == 5);
    CHECK(bench.driver.reg(VRNIC_REG_MAC_LO) != 0);  // chosen by QEMU
    CHECK(bench.machine.ends_well());
}

TEST_CASE("the short form of QEMU's command line", "[identity]") {
    Machine machine({.device = "", .more = {"-nic", "user,model=vrnic"}, .netdev = false});
    unsigned slot = 1;  // wherever QEMU put it
    while (slot < 31 &&
           PciDevice(machine, {.slot = slot}).config_read(PCI_DEVICE_ID, 2) != VRNIC_PCI_DEVICE_ID)
        ++slot;
    PciDevice pci(machine, {.slot = slot});
    pci.enable();
    Driver driver(pci);
    CHECK(driver.reg(VRNIC_REG_ID) == VRNIC_ID);
    CHECK(driver.reg(VRNIC_REG_VECTORS) == 16);
    CHECK(machine.ends_well());
}

TEST_CASE("wrong properties are refused with a reason", "[identity]") {
    struct Row {
        const char* property;
        const char* reason;
    };
    const Row rows[] = {
        {"vectors=65", "vectors=65 is not between 1 and 64"},
        {"doorbell-size=4096", "doorbell-size=4096 is not a power of two"},
        {"doorbell-size=12288", "doorbell-size=12288 is not a power of two"},
        {"doorbell-size=1G", "doorbell-size=1073741824 is not a power of two"},
        {"loss=2", "loss=2 is not a share of packets"},
        {"loss=-0.1", "loss=-0.1 is not a share of packets"},
        {"loss=nan", "loss=nan is not a share of packets"},
        {"loss=1%", "loss=1% is not a share of packets"},
        {"loss=", "loss= is not a share of packets"},
        {"mac=01:00:5e:00:00:01", "mac is a multicast address"},
        {"bus=bridge", "needs such a bus"},
    };
    Machine machine({.device = "",
                     .more = {"-device", "pcie-pci-bridge,id=bridge,bus=pcie.0,addr=8", "-device",
                              "pcie-root-port,id=rport,bus=pcie.0,addr=9"}});
    for (const Row& row : rows) {
        CAPTURE(row.property);
        const std::string said = machine.human(
            std::string("device_add vrnic,id=v0,netdev=n0,bus=rport,") + row.property);
        CHECK(said.find(row.reason) != std::string::npos);
    }
    CHECK(machine.ends_well());
}

TEST_CASE("a machine with open queue pairs cannot be saved, and says so", "[identity]") {
    Machine machine;
    const std::string error = machine.qmp().error_of("migrate", {{"uri", "exec:cat >/dev/null"}});
    CHECK(error.find("vrnic") != std::string::npos);
    CHECK(machine.ends_well());
}
