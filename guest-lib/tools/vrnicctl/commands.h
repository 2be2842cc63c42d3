// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// The subcommands. Each adds itself to the program; when it was asked for, run is what does it, and
// gives the exit status.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>

namespace vrnic::ctl {

using Run = std::function<int()>;

void add_capture(CLI::App& program, Run& run);
void add_dump(CLI::App& program, Run& run);
void add_events(CLI::App& program, Run& run);
void add_interfaces(CLI::App& program, Run& run);
void add_list(CLI::App& program, Run& run);
void add_monitor(CLI::App& program, Run& run);
void add_query(CLI::App& program, Run& run);
void add_types(CLI::App& program, Run& run);

// The exit status of a failure, which is told on stderr.
int fail(const std::string& why);

}  // namespace vrnic::ctl
