// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/report.h"

#include <fmt/format.h>
#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace vrnic::runner {
namespace {

struct Look {
    std::string_view word;
    int colour;  // ANSI foreground
};

Look look(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
            return {"ok", 32};
        case Outcome::failed:
            return {"FAIL", 31};
        case Outcome::skipped:
            return {"skip", 33};
    }
    return {};
}

bool terminal() {
    return ::isatty(STDOUT_FILENO) != 0;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

std::string xml(const std::string& text) {
    // What XML 1.0 cannot hold at all is replaced.
    std::string clean = text;
    for (char& c : clean) {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') c = '?';
    }
    char* valid = g_utf8_make_valid(clean.data(), static_cast<gssize>(clean.size()));
    char* escaped = g_markup_escape_text(valid, -1);
    std::string result = escaped;
    g_free(escaped);
    g_free(valid);
    return result;
}

Result<void> write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    file.flush();
    if (!file) return fail(ExitStatus::failure, "cannot write {}", path.string());
    return {};
}

}  // namespace

void Report::add(CaseResult result) {
    const auto [word, colour] = look(result.outcome);
    const std::string told =
        result.message.empty() ? "" : fmt::format(": {}", first_line(result.message));
    if (terminal())
        fmt::print("\r\x1b[K\x1b[{}m{:<4}\x1b[0m ", colour, word);
    else
        fmt::print("{:<4} ", word);
    fmt::print("{}/{} ({:.1f} s){}\n", result.suite, result.name, result.time.count(), told);
    std::fflush(stdout);
    results_.push_back(std::move(result));
}

void Report::running(const std::string& suite, const std::string& name) {
    if (!terminal()) return;
    fmt::print("\r\x1b[K     {}/{} ...", suite, name);
    std::fflush(stdout);
}

std::size_t Report::count(Outcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count(results_, outcome, &CaseResult::outcome));
}

void Report::print_summary() const {
    if (terminal()) fmt::print("\r\x1b[K");
    if (count(Outcome::failed) > 0) fmt::print("\nFailed:\n");
    for (const auto& result : results_) {
        if (result.outcome == Outcome::failed)
            fmt::print("\n{}/{}\n{}\n", result.suite, result.name, result.message);
    }
    fmt::print("\n{} passed, {} failed, {} skipped\n", count(Outcome::passed),
               count(Outcome::failed), count(Outcome::skipped));
    std::fflush(stdout);
}

Result<void> Report::write_junit(const std::filesystem::path& file) const {
    std::map<std::string, std::vector<const CaseResult*>> suites;
    for (const auto& result : results_) suites[result.suite].push_back(&result);
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    for (const auto& [name, results] : suites) {
        const auto failures = std::ranges::count(results, Outcome::failed, &CaseResult::outcome);
        const auto skips = std::ranges::count(results, Outcome::skipped, &CaseResult::outcome);
        text += fmt::format("<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
                            xml(name), results.size(), failures, skips);
        for (const auto* result : results) {
            text += fmt::format("<testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">",
                                xml(name), xml(result->name), result->time.count());
            if (result->outcome == Outcome::failed)
                text += fmt::format("<failure message=\"{}\">{}</failure>",
                                    xml(first_line(result->message)), xml(result->message));
            if (result->outcome == Outcome::skipped)
                text += fmt::format("<skipped message=\"{}\"/>", xml(result->message));
            text += "</testcase>\n";
        }
        text += "</testsuite>\n";
    }
    return write(file, text + "</testsuites>\n");
}

Result<void> Report::write_json(const std::filesystem::path& file) const {
    nlohmann::json cases = nlohmann::json::array();
    for (const auto& result : results_)
        cases.push_back({{"suite", result.suite},
                         {"name", result.name},
                         {"outcome", look(result.outcome).word},
                         {"seconds", result.time.count()},
                         {"message", result.message}});
    const nlohmann::json all = {{"passed", count(Outcome::passed)},
                                {"failed", count(Outcome::failed)},
                                {"skipped", count(Outcome::skipped)},
                                {"cases", std::move(cases)}};
    return write(file, all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace vrnic::runner
