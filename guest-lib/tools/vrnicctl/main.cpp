// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// vrnicctl: what is peculiar to vrnic's devices.
#include <fmt/format.h>

#include <cstdio>

#include "commands.h"

namespace vrnic::ctl {

int fail(const std::string& why) {
    fmt::print(stderr, "vrnicctl: {}\n", why);
    return 1;
}

}  // namespace vrnic::ctl

int main(int argc, char** argv) {
    using namespace vrnic::ctl;
    CLI::App app("Finds vrnic's RDMA devices, and tells what is peculiar to them.", "vrnicctl");
    app.require_subcommand(1);
    app.footer("Exit status: 0 told, 1 it could not be told, 2 wrong usage.");
    Run run;
    add_list(app, run);
    add_monitor(app, run);
    add_query(app, run);
    add_types(app, run);
    add_interfaces(app, run);
    add_dump(app, run);
    add_capture(app, run);
    add_events(app, run);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "vrnicctl: {}; --help tells more\n", error.what());
        return 2;
    }
    return run();
}
