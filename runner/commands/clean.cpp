// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic clean: empties the cache.
#include <algorithm>
#include <array>
#include <memory>
#include <regex>

#include "commands/command.h"
#include "commands/printer.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;

std::uintmax_t bytes_in(const fs::path& path) {
    std::error_code error;
    if (fs::is_symlink(path, error)) return 0;
    if (fs::is_regular_file(path, error)) return fs::file_size(path, error);
    std::uintmax_t bytes = 0;
    for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code gone;
        if (at->is_regular_file(gone) && !at->is_symlink(gone)) bytes += at->file_size(gone);
    }
    return bytes;
}

// Did set-up or a run make this? The cache's place is a person's choice, and so may hold more.
bool is_ours(const std::string& name) {
    constexpr std::array folders{"apt", "logs", "runs"};
    static const std::regex files(
        R"((accelerator(\.\d+)?|kvm-try-\d+\.log|[\w.-]+-[0-9a-f]{12}(\.lock|\.making)?))");
    return std::ranges::find(folders, name) != folders.end() || std::regex_match(name, files);
}

Result<int> clean(Session& session, bool only_tell) {
    const fs::path& root = session.cache().root();
    std::vector<fs::path> ours;
    std::uintmax_t bytes = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root, error)) {
        if (!is_ours(entry.path().filename())) continue;
        ours.push_back(entry.path());
        bytes += bytes_in(entry.path());
    }
    fmt::print("{}: {:.0f} MB\n", root.string(), static_cast<double>(bytes) / 1e6);
    if (only_tell) return 0;
    if (auto claimed = session.cache().claim(); !claimed) return std::unexpected(claimed.error());
    for (const auto& path : ours) {
        std::error_code kept;
        fs::remove_all(path, kept);
        if (kept)
            return fail(ExitStatus::failure, "cannot remove {}: {}", path.string(), kept.message());
    }
    fmt::print("emptied; the next command fetches and builds again what it needs\n");
    return 0;
}

}  // namespace

void add_clean_command(CLI::App& app, ChosenCommand& chosen) {
    auto only_tell = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand("clean", "empty the cache of images and packages");
    command->footer(
        "The cache is in $VRNIC_CACHE, or $XDG_CACHE_HOME/vrnic, or ~/.cache/vrnic. What vrnic did "
        "not\n"
        "make there stays. It is not emptied while another vrnic uses it.");
    command->add_flag("--dry-run", *only_tell, "only tell its place and size");
    command->callback([only_tell, &chosen] {
        chosen = [only_tell](Session& session) { return clean(session, *only_tell); };
    });
}

}  // namespace vrnic::runner
