// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vrnic::agent {

// Where a kernel that looks for leaks tells of them; other kernels do not have it.
inline constexpr const char* leak_report_file = "/sys/kernel/debug/kmemleak";

// One line for each object of kmemleak's report: size, who allocated it, and the innermost
// functions of the backtrace. Each begins with "kmemleak: ", which the runner looks for.
[[nodiscard]] std::vector<std::string> summarize_leaks(std::string_view report);

// Keeps the kernel from scanning by itself, which costs seconds while something is tested.
void stop_automatic_leak_scans();

// Scans until each object that nothing points to has been seen, and prints what was found, or why
// it could not be looked for; the report itself goes to the job folder. Takes several seconds.
void report_leaks();

}  // namespace vrnic::agent
