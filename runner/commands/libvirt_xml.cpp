// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic libvirt-xml: a libvirt domain with a vrnic.
#include <unistd.h>

#include <memory>

#include "commands/command.h"
#include "commands/lab_flags.h"
#include "commands/printer.h"
#include "setup/tool.h"
#include "vm/accelerator.h"
#include "vm/kernel_options.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;

struct DomainOptions {
    LabOptions lab;
    std::string name = "vrnic";
};

// In text and in attributes.
std::string xml(const std::string& text) {
    std::unique_ptr<char, decltype(&g_free)> escaped(g_markup_escape_text(text.c_str(), -1),
                                                     g_free);
    return escaped.get();
}

// Says to the guest which of its interfaces is the NIC, as a run's folder does.
Result<fs::path> make_job_folder(Session& session, const std::string& name, const NicSpec& nic,
                                 int mtu) {
    const fs::path folder = session.project().build / "libvirt" / name;
    protocol::VmConfig config;
    config.mtu = mtu;
    config.nics.push_back({nic.kind, nic.mac});
    auto written = setup::write_text(folder / protocol::config_file, protocol::to_text(config));
    if (!written) return std::unexpected(written.error());
    return folder;
}

std::string qemu_arguments(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += fmt::format("    <qemu:arg value='{}'/>\n", xml(word));
    return text;
}

std::string filesystem(const fs::path& folder, const char* tag) {
    return fmt::format(
        "    <filesystem type='mount' accessmode='passthrough'>\n"
        "      <source dir='{}'/>\n"
        "      <target dir='{}'/>\n"
        "      <readonly/>\n"
        "    </filesystem>\n",
        xml(folder.string()), tag);
}

Result<int> print_domain(Session& session, const DomainOptions& options) {
    const auto files = session.prepare(options.lab);
    if (!files) return std::unexpected(files.error());
    const auto accel = choose_accelerator(session.loop(), options.lab.accel, *files,
                                          session.cache().root() / "accelerator");
    if (!accel) return std::unexpected(accel.error());
    std::unique_ptr<char, decltype(&g_free)> emulator(
        g_find_program_in_path(files->qemu.front().c_str()), g_free);
    if (!emulator) return fail(ExitStatus::setup, "there is no {}", files->qemu.front());
    NicSpec nic;
    nic.mac = "52:54:00:77:00:01";
    const auto job = make_job_folder(session, options.name, nic, options.lab.mtu);
    if (!job) return std::unexpected(job.error());

    const bool kvm = *accel == "kvm";
    fmt::print(
        "<!-- Made by ./vrnic libvirt-xml. The device is what stands in qemu:commandline; any "
        "netdev\n"
        "     will do. The rest boots a shell on the console: virsh console {0}, then ibv_devinfo. "
        "-->\n"
        "<domain type='{1}' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
        "  <name>{0}</name>\n"
        "  <memory unit='MiB'>{2}</memory>\n"
        "  <vcpu>{3}</vcpu>\n"
        "  <os>\n"
        "    <type arch='x86_64' machine='q35'>hvm</type>\n"
        "    <kernel>{4}</kernel>\n"
        "    <initrd>{5}</initrd>\n"
        "    <cmdline>{6}</cmdline>\n"
        "  </os>\n"
        "  <features><acpi/></features>\n"
        "  <cpu mode='{7}'/>\n"
        "  <on_reboot>destroy</on_reboot>\n"
        "  <on_crash>destroy</on_crash>\n"
        "  <devices>\n"
        "    <emulator>{8}</emulator>\n"
        "    <disk type='file' device='disk'>\n"
        "      <driver name='qemu' type='raw'/>\n"
        "      <source file='{9}'/>\n"
        "      <target dev='vda' bus='virtio'/>\n"
        "      <readonly/>\n"
        "    </disk>\n",
        xml(options.name), kvm ? "kvm" : "qemu", options.lab.memory_mib, options.lab.cpus,
        xml(files->kernel.string()), xml(files->initrd.string()),
        xml(fmt::format("{} vrnic.shell", kernel_options)), kvm ? "host-passthrough" : "maximum",
        xml(emulator.get()), xml(files->rootfs.string()));
    fmt::print("{}{}", filesystem(files->parts, "vrnic"), filesystem(*job, "job"));
    fmt::print(
        "    <serial type='pty'/>\n"
        "    <console type='pty'/>\n"
        "    <memballoon model='none'/>\n"
        "  </devices>\n"
        "  <qemu:commandline>\n"
        "{}"
        "  </qemu:commandline>\n"
        "</domain>\n",
        qemu_arguments({"-plugin", "file=" + files->device.string(), "-netdev",
                        "user,id=vrnicnet,net=10.77.0.0/24", "-device",
                        "pcie-root-port,id=vrnicport,chassis=100,slot=100,addr=0x10", "-device",
                        fmt::format("vrnic,netdev=vrnicnet,bus=vrnicport,mac={}", nic.mac)}));
    return 0;
}

}  // namespace

void add_libvirt_xml_command(CLI::App& app, ChosenCommand& chosen) {
    auto options = std::make_shared<DomainOptions>();
    CLI::App* command = app.add_subcommand("libvirt-xml", "print a libvirt domain with a vrnic");
    command->footer(
        "  ./vrnic libvirt-xml >vrnic.xml && virsh create --console vrnic.xml\n\n"
        "libvirt's QEMU must be able to read this checkout and the cache. For a domain of your "
        "own\n"
        "take over xmlns:qemu and qemu:commandline. Where AppArmor confines libvirt's QEMUs, it\n"
        "allows shared objects only from the distribution's folder of QEMU modules.");
    command->add_option("--name", options->name, "the domain's name")->capture_default_str();
    add_kernel_flag(*command, options->lab);
    add_guest_flag(*command, options->lab);
    add_accel_flag(*command, options->lab);
    add_size_flags(*command, options->lab);
    command->callback([options, &chosen] {
        chosen = [options](Session& session) { return print_domain(session, *options); };
    });
}

}  // namespace vrnic::runner
