// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/lab_flags.h"

namespace vrnic::runner {

void add_kernel_flag(CLI::App& command, LabOptions& options) {
    command
        .add_option("--kernel", options.kernel, "the guests' kernel: a recipe in images/kernels")
        ->capture_default_str();
}

void add_guest_flag(CLI::App& command, LabOptions& options) {
    command
        .add_option("--guest", options.guest, "the guests' user land: a recipe in images/guests")
        ->capture_default_str();
}

void add_qemu_flag(CLI::App& command, LabOptions& options) {
    command
        .add_option("--qemu", options.qemu,
                    "system (this machine's) or 10.0 (Debian 13's, fetched)")
        ->capture_default_str();
}

void add_accel_flag(CLI::App& command, LabOptions& options) {
    command.add_option("--accel", options.accel, "how the guests' CPUs run")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "kvm", "tcg"}));
}

void add_size_flags(CLI::App& command, LabOptions& options) {
    command.add_option("--memory", options.memory_mib, "of each VM, in MiB")
        ->capture_default_str()
        ->check(CLI::Range(128, 262144));
    command.add_option("--cpus", options.cpus, "of each VM")
        ->capture_default_str()
        ->check(CLI::Range(1, 64));
}

void add_lab_flags(CLI::App& command, LabOptions& options) {
    const auto key_value = CLI::Validator(
        [](std::string& text) {
            const auto equals = text.find('=');
            return equals == 0 || equals == std::string::npos ? "give it as KEY=VALUE"
                                                              : std::string();
        },
        "KEY=VALUE");
    // The rule itself is the device's to judge.
    const auto fault_rule = CLI::Validator(
        [](std::string& text) {
            const auto colon = text.find(':');
            const bool known =
                colon == std::string::npos ||
                (colon == 3 && text.starts_with("vm") && text[2] >= '1' && text[2] <= '8');
            return known ? std::string() : "give it as RULE, or as vm2:RULE";
        },
        "[VM:]RULE");
    command.add_option("--mtu", options.mtu, "MTU of the links, in bytes")
        ->capture_default_str()
        ->check(CLI::Range(1280, 9000));
    add_kernel_flag(command, options);
    add_guest_flag(command, options);
    add_qemu_flag(command, options);
    add_accel_flag(command, options);
    add_size_flags(command, options);
    command.add_flag("--iommu", options.iommu,
                     "each VM has an IOMMU (Intel's): devices reach only what its kernel maps");
    command.add_option("--nics", options.nics, "NICs of each VM, each on a link of its own")
        ->capture_default_str()
        ->check(CLI::Range(1, 4));
    command.add_option("--device", options.device, "a property of each vrnic, such as loss=0.01")
        ->check(key_value)
        ->allow_extra_args(false);
    command
        .add_option("--fault", options.faults,
                    "what goes wrong on purpose, of each vrnic or of one VM's, as\n"
                    "drop,opcode=send,nth=3 or vm2:link-down,after=5s,for=1s (docs/faults.md)")
        ->type_name("[VM:]RULE")
        ->check(fault_rule)
        ->allow_extra_args(false);
    command
        .add_option("--rxe", options.rxe,
                    "this VM gets rdma_rxe over virtio-net instead of vrnic: vm1, vm2, ...")
        ->allow_extra_args(false);
    command.add_flag("--rxe-beside", options.rxe_beside,
                     "one NIC more in each VM, the last: rdma_rxe over virtio-net");
    command.add_option("--with", options.packages, "Debian packages to add to the guests")
        ->delimiter(',')
        ->allow_extra_args(false);
    command.add_option(
        "--capture", options.capture,
        "write every frame that vm1's first NIC sends and gets (pcapng), and beside it of\n"
        "every other NIC: FILE-vm2, FILE-vm1-2, ...");
    command
        .add_option("--share", options.share,
                    "a folder of this machine: /share in every guest, to read and write")
        ->check(CLI::ExistingDirectory);
    command.add_flag("--gdb{vm1}", options.gdb,
                     "vm1 waits for gdb; prints the line to type. --gdb=vm2: that one");
}

}  // namespace vrnic::runner
