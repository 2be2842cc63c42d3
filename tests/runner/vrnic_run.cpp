// SPDX-License-Identifier: GPL-2.0-or-later
#include "vrnic_run.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace vrnic::runner_test {
namespace {

namespace fs = std::filesystem;
using runner::Clock;

std::string read_all(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> words_of(const char* variable) {
    const char* text = std::getenv(variable);
    std::istringstream in(text == nullptr ? "" : text);
    return {std::istream_iterator<std::string>(in), {}};
}

// "PID (NAME) STATE PARENT ...": the name may hold anything, so the last parenthesis counts.
int parent_of(const fs::path& process) {
    const std::string stat = read_all(process / "stat");
    const auto close = stat.rfind(')');
    if (close == std::string::npos || close + 4 > stat.size()) return 0;
    return std::atoi(stat.c_str() + close + 4);
}

}  // namespace

// Looks now and then: files and processes wake no loop.
bool wait_until(EventLoop& loop, const std::function<bool()>& condition, seconds limit) {
    const auto end = Clock::now() + limit;
    while (!condition()) {
        if (Clock::now() >= end || loop.interrupted()) return false;
        (void)loop.wait([] { return false; }, Clock::now() + std::chrono::milliseconds(50));
    }
    return true;
}

VrnicRun::VrnicRun(EventLoop& loop, std::vector<std::string> arguments, Environment environment)
    : loop_(loop) {
    if (!arguments.empty() && arguments.front() == "run") {
        // "--kernel 6.12 ...", but for those that the test gives itself.
        const auto options = words_of("VRNIC_RUN_OPTIONS");
        for (std::size_t i = 0; i + 1 < options.size(); i += 2) {
            if (std::ranges::find(arguments, options[i]) == arguments.end())
                arguments.insert(arguments.begin() + 1, {options[i], options[i + 1]});
        }
    }
    arguments.insert(arguments.begin(), VRNIC_SOURCE_ROOT "/vrnic");
    runner::ChildCommand command;
    command.argv = std::move(arguments);
    command.environment = std::move(environment);
    command.output_file = folder_.file("output");
    auto process = runner::ChildProcess::start(std::move(command));
    if (!process) throw std::runtime_error(process.error().message);
    process_ = std::move(*process);
}

std::string VrnicRun::output() const {
    return read_all(folder_.file("output"));
}

bool VrnicRun::prints(std::string_view text) {
    const auto printed = [&] { return output().find(text) != std::string::npos; };
    return wait_until(loop_, [&] { return printed() || process_->end(); }) && printed();
}

int VrnicRun::wait() {
    if (!wait_until(loop_, [&] { return process_->end().has_value(); })) return -1;
    return process_->end()->status;
}

std::vector<int> VrnicRun::qemus() const {
    std::vector<int> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename();
        if (!std::ranges::all_of(name, ::isdigit)) continue;
        // The runner keeps the number of the script that it was started by.
        if (parent_of(entry.path()) == process_->pid() &&
            read_all(entry.path() / "comm").starts_with("qemu-system"))
            found.push_back(std::stoi(name));
    }
    return found;
}

std::vector<std::string> VrnicRun::explanations() const {
    std::vector<std::string> lines;
    std::istringstream in(output());
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("vrnic: ") && !line.starts_with("vrnic: consoles and logs:") &&
            !line.starts_with("vrnic: warning: "))
            lines.push_back(line.substr(7));
    }
    return lines;
}

fs::path VrnicRun::evidence() const {
    constexpr std::string_view sign = "vrnic: consoles and logs: ";
    std::istringstream in(output());
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(sign)) return line.substr(sign.size());
    }
    return {};
}

bool all_gone(EventLoop& loop, const std::vector<int>& processes) {
    return wait_until(
        loop,
        [&] {
            // A zombie that nobody waits for is gone, too.
            return std::ranges::none_of(processes, [](int pid) {
                const std::string stat = read_all(fmt::format("/proc/{}/stat", pid));
                const auto close = stat.rfind(')');
                return close != std::string::npos && close + 2 < stat.size() &&
                       stat[close + 2] != 'Z';
            });
        },
        seconds(5));
}

std::string modules_folder() {
    const char* folder = std::getenv("VRNIC_TEST_MODULES");
    if (folder == nullptr) throw std::runtime_error("start this by ./vrnic test runner");
    return folder;
}

}  // namespace vrnic::runner_test
