// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/event_loop.h"
#include "suites/report.h"
#include "suites/selection.h"

namespace vrnic::runner {

// A test that meson knows (unit, sim, device).
struct BuiltTest {
    std::string suite;  // the folder below tests/ that it is defined in
    std::string name;
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;
    std::filesystem::path directory;  // working directory; may be empty
    int timeout_s = 30;
    bool catch2 = false;  // an executable of ours: reports its cases; else its exit status is one
};

// From the build folder's own description of its tests.
[[nodiscard]] Result<std::vector<BuiltTest>> find_built_tests(const std::filesystem::path& source,
                                                              const std::filesystem::path& build);

// Runs one and reports its cases as they end. scratch: a folder for its logs.
[[nodiscard]] Result<void> run_built_test(EventLoop& loop, const BuiltTest& test,
                                          const Selection& selection,
                                          const std::filesystem::path& scratch, Report& report);

// Names of its cases.
[[nodiscard]] std::vector<std::string> list_cases(const BuiltTest& test);

}  // namespace vrnic::runner
