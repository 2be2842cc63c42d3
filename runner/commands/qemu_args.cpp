// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic qemu-args: what to add to one's own QEMU command line.
#include <memory>

#include "commands/command.h"
#include "setup/build.h"

namespace vrnic::runner {
namespace {

Result<int> print_arguments(Session& session, const std::string& which) {
    const auto qemu = setup::qemu_flavor(session.context(), which);
    if (!qemu) return std::unexpected(qemu.error());
    const auto device = setup::build_device(session.context(), {*qemu});
    if (!device) return std::unexpected(device.error());
    session.progress().done();
    fmt::print(
        "# For QEMU {} on the q35 machine; a root port of its own lets the NIC be unplugged.\n"
        "# {}\n"
        "-plugin file={}\n"
        "-netdev user,id=n0\n"
        "-device pcie-root-port,id=port0,chassis=1\n"
        "-device vrnic,netdev=n0,bus=port0,mac=52:54:00:77:00:01\n",
        qemu->version, fmt::join(qemu->command, " "), device->string());
    return 0;
}

}  // namespace

void add_qemu_args_command(CLI::App& app, ChosenCommand& chosen) {
    auto which = std::make_shared<std::string>("system");
    CLI::App* command =
        app.add_subcommand("qemu-args", "print what to add to your own QEMU command line");
    command->footer("Any netdev will do: user, tap, stream, ... The comments are for you to read.");
    command->add_option("--qemu", *which, "system or 10.0")->capture_default_str();
    command->callback([which, &chosen] {
        chosen = [which](Session& session) { return print_arguments(session, *which); };
    });
}

}  // namespace vrnic::runner
