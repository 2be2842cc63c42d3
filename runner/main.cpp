// SPDX-License-Identifier: GPL-2.0-or-later
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>

#include "commands/command.h"
#include "commands/printer.h"

namespace vrnic::runner {
namespace {

constexpr std::array commands{
    add_demo_command,  add_run_command,       add_shell_command,       add_test_command,
    add_bench_command, add_qemu_args_command, add_libvirt_xml_command, add_clean_command,
};

int report(const Result<int>& status) {
    if (status) return *status;
    print_remark(status.error().message);
    return static_cast<int>(status.error().status);
}

int start(int argc, char** argv) {
    CLI::App app{"vrnic: an RDMA NIC that needs no hardware"};
    app.name("./vrnic");
    app.set_version_flag("--version", VRNIC_VERSION);
    app.footer("Begin with: ./vrnic demo");
    app.require_subcommand(0, 1);  // so that what follows a command is its own, "test bench" too
    ChosenCommand chosen;
    for (AddCommand add : commands) add(app, chosen);
    if (argc == 1) {
        fmt::print("{}", app.help());
        return static_cast<int>(ExitStatus::success);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::CallForAllHelp& help) {
        return app.exit(help);
    } catch (const CLI::CallForVersion& version) {
        return app.exit(version);
    } catch (const CLI::ParseError& error) {
        const auto parsed = app.get_subcommands();
        print_remark(fmt::format("{}; see ./vrnic {}--help", error.what(),
                                 parsed.empty() ? "" : parsed.front()->get_name() + " "));
        return static_cast<int>(ExitStatus::usage);
    }
    if (!chosen) {
        print_remark("no command given; see ./vrnic --help");
        return static_cast<int>(ExitStatus::usage);
    }
    auto session = Session::open();
    if (!session) return report(std::unexpected(session.error()));
    return report(chosen(**session));
}

}  // namespace
}  // namespace vrnic::runner

int main(int argc, char** argv) {
    return vrnic::runner::start(argc, argv);
}
