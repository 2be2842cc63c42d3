// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "suites/report.h"
#include "vm/vm.h"

namespace vrnic::runner {

// A run as cases, for machines to read: one for each command, one for each KTAP result that a
// command printed, and one when something else went wrong than a command.
class RunReport {
  public:
    // wanted: no, nothing is kept.
    explicit RunReport(bool wanted) : wanted_(wanted) {}

    void add_line(std::size_t vm, std::string_view line);
    void add_command(std::size_t vm, const std::string& command, const StepState& step);
    // Empty paths are left out.
    [[nodiscard]] Result<void> write(const Result<int>& status, const std::filesystem::path& junit,
                                     const std::filesystem::path& json);

  private:
    bool wanted_;
    std::vector<std::string> printed_;  // by each VM
    Report report_;
};

}  // namespace vrnic::runner
