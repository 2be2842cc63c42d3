// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/expected_skips.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace vrnic::runner {
namespace {

bool names(const ExpectedSkip& entry, std::string_view test) {
    if (!entry.tests.ends_with('*')) return test == entry.tests;
    return test.starts_with(std::string_view(entry.tests).substr(0, entry.tests.size() - 1));
}

}  // namespace

Result<std::vector<ExpectedSkip>> load_expected_skips(const std::filesystem::path& file) {
    std::ifstream in(file);
    const auto table = nlohmann::json::parse(in, nullptr, false, true);
    if (!table.is_array()) return fail(ExitStatus::setup, "{}: not a list", file.string());
    std::vector<ExpectedSkip> skips;
    for (const auto& group : table) {
        const std::string reason = group.value("reason", "");
        const std::string says = group.value("says", "");
        const auto tests = group.value("tests", std::vector<std::string>());
        if (reason.empty() || says.empty() || tests.empty())
            return fail(ExitStatus::setup, "{}: a group needs \"reason\", \"says\" and \"tests\"",
                        file.string());
        for (const auto& test : tests) skips.push_back({test, says, reason});
    }
    return skips;
}

std::vector<KtapResult> judge_skips(std::vector<KtapResult> results,
                                    const std::vector<ExpectedSkip>& expected) {
    std::vector<bool> used(expected.size());
    for (auto& result : results) {
        if (result.outcome != Outcome::skipped) continue;
        bool allowed = false;
        for (std::size_t i = 0; i < expected.size() && !allowed; ++i) {
            if (!names(expected[i], result.name) ||
                result.message.find(expected[i].says) == std::string::npos)
                continue;
            allowed = used[i] = true;
            result.message = expected[i].reason;
        }
        if (allowed) continue;
        result.outcome = Outcome::failed;
        result.message = "skipped, which no list allows: " + result.message;
    }
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (!used[i])
            results.push_back({fmt::format("list of skips: {}", expected[i].tests), Outcome::failed,
                               fmt::format("nothing was skipped saying \"{}\"", expected[i].says)});
    return results;
}

}  // namespace vrnic::runner
