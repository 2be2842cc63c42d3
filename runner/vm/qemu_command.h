// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "vm/vm_spec.h"

namespace vrnic::runner {

// Numbers that the runner's socket ends have in QEMU's process.
struct QemuFds {
    int qmp;
    int status;
    int output;
    int console;
    int shell;               // used when the VM has one
    int gdb;                 // a listening TCP socket; used when the VM waits for a debugger
    std::vector<int> links;  // one for each NIC
};

// The whole command line of a VM.
[[nodiscard]] std::vector<std::string> qemu_command(const VmSpec& spec, const QemuFds& fds);

// A NIC's device as -device has it, and as device_add is given it again after an unplug.
struct NicDevice {
    std::string driver;
    std::vector<std::pair<std::string, std::string>> properties;
};
[[nodiscard]] NicDevice nic_device(const VmSpec& spec, std::size_t link);
// "driver,key=value,..."
[[nodiscard]] std::string device_text(const NicDevice& device);
[[nodiscard]] std::string nic_id(std::size_t link);

}  // namespace vrnic::runner
