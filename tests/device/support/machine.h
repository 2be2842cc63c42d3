// SPDX-License-Identifier: GPL-2.0-or-later
// A virtual machine without an operating system: its processor runs "cli; hlt", the test does the
// rest.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/qemu_process.h"
#include "support/qmp.h"
#include "support/qtest.h"

namespace vrnic::device_test {

struct MachineOptions {
    // Put behind "vrnic,"; empty: no vrnic at the start.
    std::string device = "id=v0,netdev=n0,mac=52:54:00:00:00:01,bus=pcie.0,addr=4";
    std::vector<std::string> more = {};  // further arguments of QEMU
    bool plugin = true;
    std::vector<std::pair<std::string, std::string>> environment = {};
    bool netdev = true;  // n0, whose other end is Machine::wire()
};

// The other end of netdev n0: a frame per datagram.
class Wire {
  public:
    explicit Wire(Fd fd) : fd_(std::move(fd)) {}
    void send(std::span<const std::byte> frame);
    // The next frame that QEMU sent; nothing within the time: an empty one.
    std::vector<std::byte> receive(std::chrono::milliseconds patience = kPatience);

  private:
    Fd fd_;
};

class Machine {
  public:
    static constexpr std::uint64_t kRam = 64 << 20;  // bytes, from address 0

    explicit Machine(const MachineOptions& options = {});

    Qtest& qtest() { return qtest_; }
    Qmp& qmp() { return qmp_; }
    Wire& wire() { return *wire_; }
    QemuProcess& process() { return *process_; }
    std::string log() const { return process_->log(); }

    // Zeroed guest memory of its own, aligned to a page.
    std::uint64_t allocate(std::size_t size);

    // The property "stats" of device id: one of the device's counters.
    std::uint64_t counter(const std::string& name, const std::string& id = "v0");
    std::string human(const std::string& command);

    // Asks again and again until it holds; false when the time is over.
    bool eventually(const std::function<bool()>& holds);

    // Ends QEMU in order. True: it did, with exit status 0 and no word of an assertion.
    bool ends_well();

  private:
    TemporaryFolder folder_;
    LineSocket qtest_socket_;
    LineSocket qmp_socket_;
    std::optional<Wire> wire_;
    std::unique_ptr<QemuProcess> process_;
    Qtest qtest_;
    Qmp qmp_;
    std::uint64_t free_ = 4 << 20;
};

}  // namespace vrnic::device_test
