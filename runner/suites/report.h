// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace vrnic::runner {

enum class Outcome { passed, failed, skipped };

struct CaseResult {
    std::string suite;  // "unit", "system"
    std::string name;   // unique within its suite
    Outcome outcome = Outcome::passed;
    std::chrono::duration<double> time{};
    std::string message;  // why it failed or was skipped: first line short, details after it
};

// Tells results as they come, one line each, and keeps them for the end.
class Report {
  public:
    void add(CaseResult result);
    // Keeps a result without telling it.
    void keep(CaseResult result) { results_.push_back(std::move(result)); }
    // On a terminal: what runs now, until the next line.
    void running(const std::string& suite, const std::string& name);

    [[nodiscard]] std::size_t count(Outcome outcome) const;
    // "N passed, N failed, N skipped", after the failures once more.
    void print_summary() const;

    [[nodiscard]] Result<void> write_junit(const std::filesystem::path& file) const;
    [[nodiscard]] Result<void> write_json(const std::filesystem::path& file) const;

  private:
    std::vector<CaseResult> results_;
};

}  // namespace vrnic::runner
