// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "vm/lab_options.h"

namespace vrnic::runner {

// The options about VMs that several commands share. `options` must outlive the parse.
void add_kernel_flag(CLI::App& command, LabOptions& options);
void add_guest_flag(CLI::App& command, LabOptions& options);
void add_qemu_flag(CLI::App& command, LabOptions& options);
void add_accel_flag(CLI::App& command, LabOptions& options);
void add_size_flags(CLI::App& command, LabOptions& options);  // --memory, --cpus
// All of them, and those about NICs and links.
void add_lab_flags(CLI::App& command, LabOptions& options);

}  // namespace vrnic::runner
