// SPDX-License-Identifier: GPL-2.0-or-later
// Plugged and unplugged behind a root port, with traffic; the netdev taken away first.
#include <linux/pci_regs.h>

#include "support/bench.h"

using namespace vrnic::device_test;

namespace {

constexpr const char* kDevice = "v0";

// A PCIe root port with native hot-plug, played as a guest's kernel would.
class RootPort {
  public:
    explicit RootPort(Machine& machine) : port_(machine, {.slot = 8}) {
        port_.config_write(PCI_PRIMARY_BUS, 0x00010100, 4);
        port_.config_write(PCI_MEMORY_BASE, 0xfe10fe00, 4);
        port_.config_write(PCI_PREF_MEMORY_BASE, 0xe010e000, 4);
        port_.config_write(PCI_PREF_BASE_UPPER32, 0, 4);
        port_.config_write(PCI_PREF_LIMIT_UPPER32, 0, 4);
        port_.config_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
        slot_control_ = port_.find_capability(PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;
    }
    void power_on() { port_.config_write(slot_control_, PCI_EXP_SLTCTL_PWR_IND_ON, 2); }
    // Unplugs what is in the slot.
    void power_off() {
        port_.config_write(slot_control_, PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC, 2);
    }

    unsigned slot_control() const { return slot_control_; }

  private:
    PciDevice port_;
    unsigned slot_control_;
};

struct Slot {
    explicit Slot(std::vector<std::string> more = {}) : machine(options(std::move(more))) {}

    static MachineOptions options(std::vector<std::string> more) {
        more.insert(more.end(), {"-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
                                 "-device", "pcie-root-port,id=rport,bus=pcie.0,addr=8,chassis=1"});
        return {.device = "", .more = std::move(more)};
    }
    void plug() {
        machine.qmp().command("device_add", {{"driver", "vrnic"},
                                             {"id", kDevice},
                                             {"bus", "rport"},
                                             {"netdev", "n0"},
                                             {"mac", "52:54:00:00:00:01"}});
        port.power_on();
        pci.enable();
    }
    // device_del, and the guest's consent.
    void unplug() {
        machine.qmp().command("device_del", {{"id", kDevice}});
        port.power_off();
        while (machine.qmp().event("DEVICE_DELETED")["data"].value("device", "") != kDevice) {
        }
    }
    void start_traffic() {
        driver.set_up_admin();
        driver.create_eq(0, VRNIC_NO_VECTOR);
        driver.create_eq(1, VRNIC_NO_VECTOR);
        driver.set_port();
        driver.set_gid(0, kAddress);
        driver.start_traffic(1, 8);
    }

    Machine machine;
    RootPort port{machine};
    PciDevice pci{machine, {.bus = 1, .slot = 0}};
    Driver driver{pci};
};

}  // namespace

TEST_CASE("twenty times plugged, used and unplugged", "[hotplug]") {
    Slot slot;
    std::size_t early = 0;
    for (int cycle = 0; cycle < 20; ++cycle) {
        CAPTURE(cycle);
        slot.plug();
        REQUIRE(slot.driver.reg(VRNIC_REG_ID) == VRNIC_ID);
        slot.start_traffic();
        slot.unplug();
        REQUIRE(slot.driver.reg(VRNIC_REG_ID) != VRNIC_ID);
        while (!slot.machine.wire().receive(std::chrono::milliseconds(0)).empty()) {
        }
        if (cycle == 4) early = slot.machine.process().resident_kib();
    }
    // Fifteen engines would not fit in this.
    CHECK(slot.machine.process().resident_kib() < early + 3072);
    CHECK(slot.machine.ends_well());
}

TEST_CASE("the netdev goes before the device", "[hotplug]") {
    Slot slot;
    slot.plug();
    slot.start_traffic();
    slot.machine.qmp().command("netdev_del", {{"id", "n0"}});
    CHECK((slot.driver.reg(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) == 0);
    slot.driver.must(VRNIC_ADMIN_ALLOC_PD);
    slot.unplug();
    CHECK(slot.machine.ends_well());
}

TEST_CASE("unplugged without device_del: the guest turns the power off", "[hotplug]") {
    Slot slot;
    slot.plug();
    slot.start_traffic();
    slot.port.power_off();
    CHECK(slot.driver.reg(VRNIC_REG_ID) != VRNIC_ID);
    CHECK(slot.machine.ends_well());
}

TEST_CASE("unplugged after a surprise removal, and another put into its slot", "[hotplug]") {
    Slot slot;
    slot.plug();
    slot.start_traffic();
    slot.machine.qmp().command(
        "qom-set",
        {{"path", "/machine/peripheral/v0"}, {"property", "surprise-removed"}, {"value", true}});
    CHECK(slot.driver.reg(VRNIC_REG_ID) == 0xffffffff);
    slot.unplug();
    slot.plug();
    CHECK(slot.driver.reg(VRNIC_REG_ID) == VRNIC_ID);
    CHECK(slot.machine.ends_well());
}

TEST_CASE("QEMU ends with the device at work", "[hotplug]") {
    Slot slot;
    slot.plug();
    slot.start_traffic();
    CHECK(slot.machine.ends_well());
}

TEST_CASE("a device that cannot be realized leaves nothing behind", "[hotplug]") {
    Slot slot;
    for (int i = 0; i < 10; ++i) {
        CHECK(slot.machine.qmp().error_of("device_add", {{"driver", "vrnic"},
                                                         {"id", kDevice},
                                                         {"bus", "rport"},
                                                         {"netdev", "n0"},
                                                         {"vectors", 99}}) != "");
        CHECK(slot.machine.qmp().error_of("device_add", {{"driver", "vrnic"},
                                                         {"id", kDevice},
                                                         {"bus", "rport"},
                                                         {"netdev", "n0"},
                                                         {"loss", "much"}}) != "");
    }
    slot.plug();
    CHECK(slot.driver.reg(VRNIC_REG_ID) == VRNIC_ID);
    slot.unplug();
    CHECK(slot.machine.ends_well());
}

TEST_CASE("a device that is made to switch itself off", "[hotplug]") {
    // The chipset's window to configuration space (Q35 PCIEXBAR), which an MSI-X vector can be
    // aimed at.
    constexpr std::uint64_t kWindow = 0xb0000000;
    constexpr std::uint64_t kPort = kWindow + (8 << 15), kDevice = kWindow + (1 << 20);
    Slot slot;
    PciDevice chipset(slot.machine, {.slot = 0});
    chipset.config_write(0x64, 0, 4);
    chipset.config_write(0x60, kWindow | 1, 4);
    REQUIRE(slot.machine.qtest().read(kWindow, 2) == 0x8086);

    struct Row {
        const char* what;
        std::uint64_t target;
        std::uint32_t data;
        bool answers;  // afterwards
        bool gone;
    };
    slot.plug();
    const unsigned express = slot.pci.find_capability(PCI_CAP_ID_EXP);
    const unsigned power = slot.pci.find_capability(PCI_CAP_ID_PM);
    const Row rows[] = {
        {"function level reset", kDevice + express + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, false,
         false},
        {"D3hot", kDevice + power + PCI_PM_CTRL, 3, false, false},
        {"no bus mastering", kDevice + PCI_COMMAND, PCI_COMMAND_MEMORY, true, false},
        {"power of its slot", kPort + slot.port.slot_control(),
         PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC, false, true},
    };
    for (const Row& row : rows)
        for (const bool from_monitor :
             {false, true}) {  // from within an access of the guest, and not
            CAPTURE(row.what, from_monitor);
            slot.driver.set_reg(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);  // of the last round
            slot.start_traffic();
            slot.driver.set_reg(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
            slot.pci.aim_vector(1, row.target, row.data);
            slot.driver.set_up_admin(4, from_monitor ? VRNIC_NO_VECTOR : 1);
            if (from_monitor) {
                slot.driver.create_eq(0, 1);
                slot.driver.set_reg(VRNIC_REG_EQ_DB, VRNIC_EQ_DB_ARM);
                slot.machine.qmp().command("set_link", {{"name", "n0"}, {"up", false}});
            } else {
                slot.driver.set_reg(VRNIC_REG_ADMIN_DB, 1);
            }
            const bool answers = slot.driver.reg(VRNIC_REG_ID) == VRNIC_ID;
            CHECK(answers == row.answers);
            slot.machine.qmp().command("set_link", {{"name", "n0"}, {"up", true}});
            if (row.gone) {
                slot.plug();
            } else {
                slot.pci.config_write(power + PCI_PM_CTRL, 0, 2);
                slot.pci.enable();
            }
            REQUIRE(slot.driver.reg(VRNIC_REG_ID) == VRNIC_ID);
        }
    slot.start_traffic();
    CHECK(slot.machine.ends_well());
}
