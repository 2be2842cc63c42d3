// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "base/local_time.h"
#include "commands/printer.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kept_runs = 20;

// Old runs, by name, which begins with the time. One that was touched within the last hours may
// be running still.
void remove_old(const fs::path& parent) {
    std::error_code error;
    std::vector<fs::path> runs;
    for (const auto& entry : fs::directory_iterator(parent, error)) runs.push_back(entry.path());
    std::ranges::sort(runs);
    const auto recent = fs::file_time_type::clock::now() - std::chrono::hours(6);
    for (std::size_t i = 0; i + kept_runs < runs.size(); ++i) {
        if (fs::last_write_time(runs[i], error) < recent) fs::remove_all(runs[i], error);
    }
}

}  // namespace

Result<RunFolder> RunFolder::make(const fs::path& parent) {
    std::error_code error;
    fs::create_directories(parent, error);
    remove_old(parent);
    std::string name = (parent / (local_time("%Y%m%d-%H%M%S") + "-XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr)
        return fail(ExitStatus::setup, "cannot make a folder in {}: {}", parent.string(),
                    std::strerror(errno));
    return RunFolder(name);
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), kept_(other.kept_) {}

RunFolder::~RunFolder() {
    std::error_code error;
    if (!path_.empty() && !kept_) fs::remove_all(path_, error);
}

void RunFolder::keep_evidence(const Result<int>& status, bool asked) {
    const bool interrupted = !status && status.error().status == ExitStatus::interrupted;
    const bool failed = !status || *status != 0;
    if (!asked && (interrupted || !failed)) return;
    std::error_code error;
    if (fs::is_empty(path_, error)) return;  // no VM was started
    keep();
    print_remark(fmt::format("consoles and logs: {}", path_.string()));
}

}  // namespace vrnic::runner
