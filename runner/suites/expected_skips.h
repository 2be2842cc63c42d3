// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "suites/ktap.h"

namespace vrnic::runner {

// Tests of others, run in a guest, which may skip themselves: a list in the repository, in JSON.
struct ExpectedSkip {
    std::string tests;   // a test's name, or the beginning of names with a * behind
    std::string says;    // what the test's own message has to contain
    std::string reason;  // ours
};

[[nodiscard]] Result<std::vector<ExpectedSkip>> load_expected_skips(
    const std::filesystem::path& file);

// Results that were skipped as expected get our reason; a skip that is on no list, or says
// something else, becomes a failure. So does an entry of the list that no skip needed.
[[nodiscard]] std::vector<KtapResult> judge_skips(std::vector<KtapResult> results,
                                                  const std::vector<ExpectedSkip>& expected);

}  // namespace vrnic::runner
