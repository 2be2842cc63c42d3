// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Subcommands that report on devices and take nothing but DEVICE and --json.
#pragma once

#include <string>

#include "commands.h"

namespace vrnic::ctl {

struct ReportCommand {
    const char* name;
    const char* what;                                     // it tells, for --help
    const char* device;                                   // which ones, for --help
    int (*report)(const std::string& device, bool json);  // the exit status
};

void add_report(CLI::App& program, Run& run, const ReportCommand& report);

}  // namespace vrnic::ctl
