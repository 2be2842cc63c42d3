// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "report_command.h"

#include <memory>

namespace vrnic::ctl {

void add_report(CLI::App& program, Run& run, const ReportCommand& report) {
    struct Options {
        std::string device;
        bool json = false;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(report.name, report.what);
    command->add_option("DEVICE", options->device, report.device);
    command->add_flag("--json", options->json, "report as JSON");
    command->callback([options, &run, how = report.report] {
        run = [options, how] { return how(options->device, options->json); };
    });
}

}  // namespace vrnic::ctl
