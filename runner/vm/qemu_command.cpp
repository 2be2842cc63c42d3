// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/qemu_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/kernel_options.h"

namespace vrnic::runner {
namespace {

using Arguments = std::vector<std::string>;

void add(Arguments& arguments, const char* option, std::string value) {
    arguments.emplace_back(option);
    arguments.push_back(std::move(value));
}

// A comma in a value of an option is written twice.
std::string escaped(const std::string& value) {
    std::string text;
    for (char c : value) text.append(c == ',' ? 2 : 1, c);
    return text;
}

void add_machine(Arguments& arguments, const VmSpec& spec) {
    add(arguments, "-name", spec.name());
    add(arguments, "-machine", fmt::format("q35,accel={},vmport=off", spec.accel));
    // TCG pays for each feature it emulates; `max` has what distributions may want.
    add(arguments, "-cpu", spec.accel == "kvm" ? "host" : "max");
    add(arguments, "-m", fmt::format("{}M", spec.memory_mib));
    add(arguments, "-smp", fmt::format("{}", spec.cpus));
    for (const char* flag : {"-nodefaults", "-no-user-config", "-no-reboot"})
        arguments.emplace_back(flag);
    add(arguments, "-display", "none");
    // Before the devices that are to be behind it. Remapped interrupts would need another irqchip.
    if (spec.iommu) add(arguments, "-device", "intel-iommu,intremap=off");
    // Before the first -device: it brings the device's type.
    const auto is_vrnic = [](const NicSpec& nic) { return nic.kind == protocol::NicKind::vrnic; };
    if (std::ranges::any_of(spec.nics, is_vrnic))
        add(arguments, "-plugin", "file=" + escaped(spec.files.device.string()));
}

void add_kernel(Arguments& arguments, const VmSpec& spec) {
    add(arguments, "-kernel", spec.files.kernel.string());
    add(arguments, "-initrd", spec.files.initrd.string());
    std::string line = kernel_options;
    // Addresses are then those of the kernel's symbols.
    if (spec.gdb) line += " nokaslr";
    if (spec.iommu) line += " intel_iommu=on iommu.strict=1";
    if (!spec.kernel_options.empty()) line += " " + spec.kernel_options;
    add(arguments, "-append", line);
}

void add_disks(Arguments& arguments, const VmSpec& spec) {
    add(arguments, "-blockdev",
        fmt::format("driver=raw,node-name=root,read-only=on,file.driver=file,file.filename={},"
                    "file.locking=off",
                    escaped(spec.files.rootfs.string())));
    add(arguments, "-device", "virtio-blk-pci,drive=root");
    add(arguments, "-fsdev",
        fmt::format("local,id=parts,path={},security_model=none,readonly=on,multidevs=remap",
                    escaped(spec.files.parts.string())));
    add(arguments, "-device", "virtio-9p-pci,fsdev=parts,mount_tag=vrnic");
    add(arguments, "-fsdev",
        fmt::format("local,id=job,path={},security_model=none,multidevs=remap",
                    escaped(spec.job_folder().string())));
    add(arguments, "-device", "virtio-9p-pci,fsdev=job,mount_tag=job");
    if (spec.share.empty()) return;
    add(arguments, "-fsdev",
        fmt::format("local,id=share,path={},security_model=none,multidevs=remap",
                    escaped(spec.share.string())));
    add(arguments, "-device", "virtio-9p-pci,fsdev=share,mount_tag=share");
}

void add_channels(Arguments& arguments, const VmSpec& spec, const QemuFds& fds) {
    add(arguments, "-chardev", fmt::format("socket,id=console,fd={}", fds.console));
    add(arguments, "-serial", "chardev:console");
    add(arguments, "-chardev", fmt::format("socket,id=qmp,fd={}", fds.qmp));
    add(arguments, "-mon", "chardev=qmp,mode=control");
    add(arguments, "-device", "virtio-serial-pci");
    add(arguments, "-chardev", fmt::format("socket,id=status,fd={}", fds.status));
    add(arguments, "-device",
        fmt::format("virtserialport,chardev=status,name={}", protocol::status_port));
    add(arguments, "-chardev", fmt::format("socket,id=output,fd={}", fds.output));
    add(arguments, "-device",
        fmt::format("virtserialport,chardev=output,name={}", protocol::output_port));
    if (spec.shell) {
        add(arguments, "-chardev", fmt::format("socket,id=shell,fd={}", fds.shell));
        add(arguments, "-device", "virtconsole,chardev=shell");
    }
    if (spec.gdb) {
        add(arguments, "-chardev", fmt::format("socket,id=gdb,fd={},server=on,wait=off", fds.gdb));
        add(arguments, "-gdb", "chardev:gdb");
        arguments.emplace_back("-S");
    }
    // Panics are told even when the console is not (it is the fallback).
    add(arguments, "-device", "pvpanic-pci");
}

std::string port_id(std::size_t link) {
    return fmt::format("port{}", link);
}

void add_nics(Arguments& arguments, const VmSpec& spec, const QemuFds& fds) {
    for (std::size_t link = 0; link < spec.nics.size(); ++link) {
        add(arguments, "-netdev",
            fmt::format("stream,id=net{0},server=off,addr.type=fd,addr.str={1}", link,
                        fds.links[link]));
        const NicSpec& nic = spec.nics[link];
        if (!nic.capture.empty() && nic.kind != protocol::NicKind::vrnic)
            add(arguments, "-object",
                fmt::format("filter-dump,id=capture{0},netdev=net{0},file={1}", link,
                            escaped(nic.capture.string())));
        // A port of its own for each, so that it can be unplugged.
        add(arguments, "-device",
            fmt::format("pcie-root-port,id={0},chassis={1},slot={1}", port_id(link), link + 1));
        add(arguments, "-device", device_text(nic_device(spec, link)));
    }
}

}  // namespace

std::string nic_id(std::size_t link) {
    return fmt::format("nic{}", link);
}

NicDevice nic_device(const VmSpec& spec, std::size_t link) {
    const NicSpec& nic = spec.nics[link];
    NicDevice device;
    device.driver = nic.kind == protocol::NicKind::vrnic ? "vrnic" : "virtio-net-pci";
    device.properties = {{"id", nic_id(link)},
                         {"netdev", fmt::format("net{}", link)},
                         {"mac", nic.mac},
                         {"bus", port_id(link)}};
    // virtio-net tells its guest the MTU that it may use; rxe takes it from there.
    if (nic.kind != protocol::NicKind::vrnic)
        device.properties.emplace_back("host_mtu", fmt::format("{}", spec.mtu));
    else if (!nic.capture.empty())
        device.properties.emplace_back("capture", std::filesystem::absolute(nic.capture).string());
    for (const auto& property : nic.properties) {
        const auto equals = property.find('=');
        if (nic.kind == protocol::NicKind::vrnic && equals != std::string::npos)
            device.properties.emplace_back(property.substr(0, equals), property.substr(equals + 1));
    }
    return device;
}

std::string device_text(const NicDevice& device) {
    std::string text = device.driver;
    for (const auto& [key, value] : device.properties)
        text += fmt::format(",{}={}", key, escaped(value));
    return text;
}

std::vector<std::string> qemu_command(const VmSpec& spec, const QemuFds& fds) {
    Arguments arguments;
    if (!spec.host_cpus.empty())
        arguments = {"taskset", "--cpu-list", fmt::format("{}", fmt::join(spec.host_cpus, ","))};
    arguments.insert(arguments.end(), spec.files.qemu.begin(), spec.files.qemu.end());
    add_machine(arguments, spec);
    add_kernel(arguments, spec);
    add_disks(arguments, spec);
    add_channels(arguments, spec, fds);
    add_nics(arguments, spec, fds);
    arguments.insert(arguments.end(), spec.qemu_options.begin(), spec.qemu_options.end());
    return arguments;
}

}  // namespace vrnic::runner
