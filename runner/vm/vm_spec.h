// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/protocol.h"

namespace vrnic::runner {

// One NIC of a VM; its link is its place in VmSpec::nics.
struct NicSpec {
    protocol::NicKind kind = protocol::NicKind::vrnic;
    std::string mac;
    std::vector<std::string> properties;  // of the device, "KEY=VALUE"
    std::filesystem::path capture;        // file of all its frames; empty: none
};

// The files a VM starts from.
struct VmFiles {
    std::vector<std::string> qemu;  // command prefix that starts the QEMU
    std::filesystem::path device;   // vrnic.so
    std::filesystem::path kernel;   // uncompressed vmlinux (PVH) or bzImage
    std::filesystem::path initrd;
    std::filesystem::path rootfs;  // squashfs
    std::filesystem::path parts;   // 9p share `vrnic`: modules, provider, tools, agent
    int least_memory_mib = 0;      // that the kernel works with
    int slowness = 1;              // how many times longer things may take with it
};

// One VM, complete: nothing else decides how it runs.
struct VmSpec {
    int number = 1;  // from 1: "vm1"
    int count = 1;   // VMs of this run
    VmFiles files;
    std::string accel = "tcg";  // "tcg" or "kvm"
    int memory_mib = 512;
    int cpus = 1;
    std::vector<int> host_cpus;  // the host's processors that it runs on; empty: all
    bool iommu = false;          // devices reach only what the guest's kernel maps for them
    int mtu = 1500;
    std::vector<NicSpec> nics;
    bool shell = false;                     // a console for a person, besides steps
    std::filesystem::path share;            // the guest's /share; empty: none
    bool gdb = false;                       // stopped at its first instruction, for a debugger
    std::string kernel_options;             // added to the command line
    std::vector<std::string> qemu_options;  // added to the command
    std::filesystem::path folder;  // made by the caller; all that the VM leaves is in there

    [[nodiscard]] std::string name() const { return "vm" + std::to_string(number); }
    [[nodiscard]] std::filesystem::path console_file() const { return folder / "console.log"; }
    [[nodiscard]] std::filesystem::path qemu_log() const { return folder / "qemu.log"; }
    [[nodiscard]] std::filesystem::path output_file() const { return folder / "output.log"; }
    [[nodiscard]] std::filesystem::path job_folder() const { return folder / "job"; }
};

}  // namespace vrnic::runner
