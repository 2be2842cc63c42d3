// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "suites/skips.h"

namespace vrnic::runner {

// Which cases to run: those that a person asked for, without those that tests/skips.json names.
// Words are "SUITE" or "SUITE/TEXT", where TEXT is any part of the case's name. No words: all but
// suites that run by default.
class Selection {
  public:
    Selection(std::vector<std::string> words, Skips skips)
        : words_(std::move(words)), skips_(std::move(skips)) {}

    [[nodiscard]] bool has_suite(std::string_view suite) const;
    [[nodiscard]] bool has_case(std::string_view suite, std::string_view name) const;
    // Nothing of the suite is left out.
    [[nodiscard]] bool has_all_of(std::string_view suite) const;
    // Cases that were asked for and are skipped.
    [[nodiscard]] Skips skipped() const;

  private:
    [[nodiscard]] bool wants_all(std::string_view suite) const;
    [[nodiscard]] bool is_wanted(std::string_view suite, std::string_view name) const;

    std::vector<std::string> words_;
    Skips skips_;
};

}  // namespace vrnic::runner
