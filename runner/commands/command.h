// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "commands/session.h"

namespace vrnic::runner {

// A command that was chosen on the command line: returns its exit status, or why it could not.
using ChosenCommand = std::function<Result<int>(Session&)>;

// Adds one command with its options; when it is chosen, `chosen` becomes what it does.
using AddCommand = void (*)(CLI::App& app, ChosenCommand& chosen);

void add_bench_command(CLI::App& app, ChosenCommand& chosen);
void add_qemu_args_command(CLI::App& app, ChosenCommand& chosen);
void add_run_command(CLI::App& app, ChosenCommand& chosen);
void add_clean_command(CLI::App& app, ChosenCommand& chosen);
void add_demo_command(CLI::App& app, ChosenCommand& chosen);
void add_libvirt_xml_command(CLI::App& app, ChosenCommand& chosen);
void add_shell_command(CLI::App& app, ChosenCommand& chosen);
void add_test_command(CLI::App& app, ChosenCommand& chosen);

}  // namespace vrnic::runner
