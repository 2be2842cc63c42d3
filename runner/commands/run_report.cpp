// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_report.h"

#include "suites/ktap.h"

namespace vrnic::runner {
namespace {

constexpr const char* suite = "run";
constexpr std::size_t most_kept = 16 * 1024 * 1024;  // bytes, of each VM

}  // namespace

void RunReport::add_line(std::size_t vm, std::string_view line) {
    if (!wanted_) return;
    if (printed_.size() <= vm) printed_.resize(vm + 1);
    if (printed_[vm].size() < most_kept) printed_[vm].append(line).append("\n");
}

void RunReport::add_command(std::size_t vm, const std::string& command, const StepState& step) {
    if (!wanted_) return;
    const std::string name = fmt::format("vm{}: {}", vm + 1, command);
    CaseResult result{
        .suite = suite, .name = name, .outcome = Outcome::passed, .time = {}, .message = {}};
    if (step.id == 0) {
        result.outcome = Outcome::skipped;
        result.message = "not started";
    } else if (!step.status) {
        result.outcome = Outcome::failed;
        result.message = "did not end";
    } else {
        result.time = step.ended_at - step.started_at;
        if (*step.status != 0) {
            result.outcome = Outcome::failed;
            result.message = fmt::format("status {}", *step.status);
        }
    }
    report_.keep(std::move(result));
    if (vm >= printed_.size() || !looks_like_ktap(printed_[vm])) return;
    for (auto& [part, outcome, message] : read_ktap(printed_[vm]))
        report_.keep(
            {suite, fmt::format("vm{}: {}", vm + 1, part), outcome, {}, std::move(message)});
}

Result<void> RunReport::write(const Result<int>& status, const std::filesystem::path& junit,
                              const std::filesystem::path& json) {
    if (!status)
        report_.keep({suite,
                      "run",
                      Outcome::failed,
                      {},
                      fmt::format("{} (exit status {})", status.error().message,
                                  static_cast<int>(status.error().status))});
    if (!junit.empty())
        if (auto written = report_.write_junit(junit); !written) return written;
    if (!json.empty())
        if (auto written = report_.write_json(json); !written) return written;
    return {};
}

}  // namespace vrnic::runner
