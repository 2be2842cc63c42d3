// SPDX-License-Identifier: GPL-2.0-or-later
// What most tests start with: a machine, its vrnic enabled, admin queue and event queues up.
#pragma once

#include "support/driver.h"
#include "support/machine.h"
#include "support/pci_device.h"
#include "unit/catch.h"

namespace vrnic::device_test {

inline constexpr std::array<std::uint8_t, 6> kMac = {0x52, 0x54, 0, 0, 0, 1};
inline constexpr std::uint32_t kAddress = 0x0a000001;  // 10.0.0.1

struct Bench {
    explicit Bench(const MachineOptions& options = {}) : machine(options) { pci.enable(); }

    // Admin queue, asynchronous event queue, completion event queue 1, port up, GID 0.
    void bring_up() {
        driver.set_up_admin();
        async_events = driver.create_eq(0, VRNIC_NO_VECTOR);
        completion_events = driver.create_eq(1, VRNIC_NO_VECTOR);
        driver.set_port();
        driver.set_gid(0, kAddress);
    }

    // The device still does its work: a reset, and a query that answers.
    void require_works_after_reset() {
        driver.set_reg(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
        REQUIRE(machine.eventually(
            [&] { return (driver.reg(VRNIC_REG_STATUS) & VRNIC_STATUS_READY) != 0; }));
        REQUIRE((driver.reg(VRNIC_REG_STATUS) & VRNIC_STATUS_FATAL) == 0);
        driver.set_up_admin();
        REQUIRE(driver.capabilities().max_qps > 0);
    }

    Machine machine;
    PciDevice pci{machine, {}};
    Driver driver{pci};
    std::uint64_t async_events = 0;
    std::uint64_t completion_events = 0;
};

}  // namespace vrnic::device_test
