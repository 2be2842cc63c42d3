// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/built_tests.h"

#include <glib.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/child_process.h"
#include "suites/catch_xml.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// "unit" for anything in SOURCE/tests/unit or BUILD/tests/unit; empty for what lies elsewhere.
std::string suite_of(const std::vector<std::string>& command, const fs::path& source,
                     const fs::path& build) {
    for (const auto& word : command) {
        for (const fs::path& root : {source, build}) {
            const auto inside = fs::path(word).lexically_relative(root / "tests");
            const std::string first = inside.empty() ? "" : inside.begin()->string();
            if (!first.empty() && first != "." && first != "..") return first;
        }
    }
    return {};
}

std::string tail_of(const fs::path& file, std::size_t lines) {
    std::ifstream in(file);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    std::string text;
    for (std::size_t i = all.size() > lines ? all.size() - lines : 0; i < all.size(); ++i)
        text += all[i] + "\n";
    return text;
}

// What Catch2 needs to be told so that it runs only the cases with these names. False: it has none
// of them, and would run all of its own.
[[nodiscard]] bool add_case_filter(std::vector<std::string>& command, const BuiltTest& test,
                                   const Selection& selection) {
    if (selection.has_all_of(test.suite)) return true;
    std::string filter;
    for (std::string name : list_cases(test)) {
        if (!selection.has_case(test.suite, name)) continue;
        std::string escaped;
        for (char c : name) {
            if (c == ',' || c == '[' || c == '\\') escaped += '\\';
            escaped += c;
        }
        filter += (filter.empty() ? "" : ",") + escaped;
    }
    if (!filter.empty()) command.push_back(filter);
    return !filter.empty();
}

}  // namespace

Result<std::vector<BuiltTest>> find_built_tests(const fs::path& source, const fs::path& build) {
    const fs::path file = build / "meson-info/intro-tests.json";
    std::ifstream in(file);
    const Json tests = Json::parse(in, nullptr, false);
    if (!tests.is_array())
        return fail(ExitStatus::setup, "cannot read {}: run meson setup --wipe {}", file.string(),
                    build.string());
    std::vector<BuiltTest> found;
    for (const Json& entry : tests) {
        BuiltTest test;
        test.name = entry.value("name", "");
        test.command = entry.value("cmd", std::vector<std::string>{});
        test.environment = entry.value("env", std::map<std::string, std::string>{});
        if (entry.contains("workdir") && entry["workdir"].is_string())
            test.directory = entry["workdir"].get<std::string>();
        test.timeout_s = entry.value("timeout", 30);
        test.suite = suite_of(test.command, source, build);
        if (test.suite.empty() || test.command.empty()) continue;
        const auto in_build = fs::path(test.command.front()).lexically_relative(build);
        test.catch2 = !in_build.empty() && *in_build.begin() != "..";
        found.push_back(std::move(test));
    }
    return found;
}

std::vector<std::string> list_cases(const BuiltTest& test) {
    if (!test.catch2) return {test.name};
    std::vector<const char*> argv;
    for (const auto& word : test.command) argv.push_back(word.c_str());
    argv.push_back("--list-test-names-only");
    argv.push_back(nullptr);
    char* output = nullptr;
    g_spawn_sync(nullptr, const_cast<char**>(argv.data()), nullptr, G_SPAWN_STDERR_TO_DEV_NULL,
                 nullptr, nullptr, &output, nullptr, nullptr, nullptr);
    std::vector<std::string> names;
    std::istringstream lines(output == nullptr ? "" : output);
    g_free(output);
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty()) names.push_back(line);
    }
    return names;
}

Result<void> run_built_test(EventLoop& loop, const BuiltTest& test, const Selection& selection,
                            const fs::path& scratch, Report& report) {
    if (!test.catch2 && !selection.has_case(test.suite, test.name)) return {};
    report.running(test.suite, test.name);
    std::error_code error;
    fs::create_directories(scratch, error);
    const fs::path log = scratch / (test.suite + "-" + test.name + ".log");
    const fs::path xml = scratch / (test.suite + "-" + test.name + ".xml");

    ChildCommand command;
    command.argv = test.command;
    command.output_file = log;
    command.directory = test.directory;
    command.environment = {test.environment.begin(), test.environment.end()};
    if (test.catch2) {
        command.argv.insert(command.argv.end(), {"-r", "xml", "-d", "yes", "-o", xml.string()});
        if (!add_case_filter(command.argv, test, selection)) return {};
    }
    const auto begin = Clock::now();
    auto child = ChildProcess::start(std::move(command));
    if (!child) return std::unexpected(child.error());

    CatchXml cases([&](CatchCase ended) {
        report.add({test.suite, ended.name, ended.passed ? Outcome::passed : Outcome::failed,
                    ended.time, ended.message});
    });
    const auto deadline = begin + std::chrono::seconds(test.timeout_s);
    bool ended = false;
    while (!ended) {
        // Short rounds, so that cases are told when they end.
        const auto round = std::min(deadline, Clock::now() + std::chrono::milliseconds(300));
        const auto woken = loop.wait([&] { return (*child)->end().has_value(); }, round);
        if (woken == EventLoop::Woken::interrupted)
            return fail(ExitStatus::interrupted, "interrupted");
        ended = woken == EventLoop::Woken::condition;
        if (test.catch2) cases.read_more(xml);
        if (!cases.running().empty()) report.running(test.suite, cases.running());
        if (!ended && Clock::now() >= deadline) break;
    }

    const std::chrono::duration<double> time = Clock::now() - begin;
    const bool good = ended && (*child)->end()->status == 0;
    const std::string how =
        ended ? (*child)->end()->text() : fmt::format("not ended within {} s", test.timeout_s);
    if (!test.catch2) {
        report.add({test.suite, test.name, good ? Outcome::passed : Outcome::failed, time,
                    good ? "" : how + "\n" + tail_of(log, 20)});
        return {};
    }
    // A process that broke down took the case with it that was running; one that failed without
    // a failed case must not pass either.
    const bool told = cases.finished() && (good || cases.failures() > 0) && cases.count() > 0;
    if (!told) {
        const std::string name = cases.running().empty() ? test.name : cases.running();
        const std::string what = good && cases.count() == 0 ? "no test case ran" : how;
        report.add({test.suite, name, Outcome::failed, time, what + "\n" + tail_of(log, 30)});
    }
    return {};
}

}  // namespace vrnic::runner
