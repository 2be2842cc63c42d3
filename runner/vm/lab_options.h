// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vm/vm_spec.h"

namespace vrnic::runner {

// What a person says about VMs, on the command line or in a test case.
struct LabOptions {
    int vms = 2;  // 1...8
    std::string guest = "debian13";
    std::string kernel = "6.12";
    std::string qemu = "system";  // or a version that set-up unpacks, "10.0"
    std::string accel = "auto";   // auto, tcg, kvm
    int memory_mib = 512;
    int cpus = 1;
    bool iommu = false;  // each VM has one, and its kernel uses it strictly
    int mtu = 1500;
    int nics = 1;                       // vrnic devices in each VM
    std::vector<std::string> device;    // properties of each vrnic, "KEY=VALUE"
    std::vector<std::string> faults;    // rules of each vrnic, or "vm2:RULE", of that VM's
    std::vector<std::string> rxe;       // VMs ("vm2") that get rdma_rxe over virtio-net instead
    bool rxe_beside = false;            // one NIC more in each VM: rdma_rxe over virtio-net
    std::vector<std::string> packages;  // Debian packages added to the guest
    std::filesystem::path capture;      // of vm1's first NIC; the others' lie beside it
    std::filesystem::path share;        // a folder of the host, at /share in every guest
    std::string gdb;                    // this VM ("vm1") waits for a debugger
    bool shell = false;                 // consoles for a person
    std::string kernel_options;
};

// Where the capture at a NIC goes, in pcapng; of virtio-net, which QEMU captures, in pcap. number:
// the VM's, from 1; link: from 0. "FILE.pcap" is that of vm1's first NIC, "FILE-vm2.pcap" of vm2's,
// "FILE-vm1-2.pcap" of vm1's second.
[[nodiscard]] std::filesystem::path capture_file(const std::filesystem::path& first, int number,
                                                 int link);

// What "RULE" and "vm2:RULE" say for one VM, as the device's property `faults` takes it.
[[nodiscard]] std::string faults_of(const std::vector<std::string>& faults, const std::string& vm);

// The VMs of a run, whose folders will be in `folder`. accel: decided, not "auto".
[[nodiscard]] std::vector<VmSpec> make_specs(const LabOptions& options, const VmFiles& files,
                                             const std::string& accel,
                                             const std::filesystem::path& folder);

}  // namespace vrnic::runner
