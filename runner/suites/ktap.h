// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "suites/report.h"

namespace vrnic::runner {

// One result of a test that reports in KTAP (or TAP), as kselftest and KUnit do.
struct KtapResult {
    std::string name;  // "subtest: result" when it is nested
    Outcome outcome = Outcome::passed;
    std::string message;  // why skipped; of a failure its own remarks
};

// The results in what a guest printed. Fewer results than a plan ("1..N") promised, "Bail out!" and
// a text without any result are failures of their own: a test that broke off never looks good.
[[nodiscard]] std::vector<KtapResult> read_ktap(std::string_view text);

// Does a text claim to be KTAP or TAP by its version line?
[[nodiscard]] bool looks_like_ktap(std::string_view text);

}  // namespace vrnic::runner
