// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "vm/lab_options.h"

namespace vrnic::runner {

// The options about VMs that several commands share. `options` must outlive the parse.
void add_lab_flags(CLI::App& command, LabOptions& options);

}  // namespace vrnic::runner
