// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic clean: empties the cache.
#include <memory>

#include "commands/command.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;

std::uintmax_t bytes_in(const fs::path& folder) {
    std::uintmax_t bytes = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        if (at->is_regular_file(error) && !at->is_symlink(error)) bytes += at->file_size(error);
    }
    return bytes;
}

Result<int> clean(Session& session, bool only_tell) {
    const fs::path& root = session.cache().root();
    fmt::print("{}: {:.0f} MB\n", root.string(), static_cast<double>(bytes_in(root)) / 1e6);
    if (only_tell) return 0;
    // What lies in it, not the folder itself: it may be a person's own choice, or a mount.
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root, error)) {
        std::error_code kept;
        fs::remove_all(entry.path(), kept);
        if (kept)
            return fail(ExitStatus::failure, "cannot remove {}: {}", entry.path().string(),
                        kept.message());
    }
    fmt::print("emptied; the next command fetches and builds again what it needs\n");
    return 0;
}

}  // namespace

void add_clean_command(CLI::App& app, ChosenCommand& chosen) {
    auto only_tell = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand("clean", "empty the cache of images and packages");
    command->add_flag("--dry-run", *only_tell, "only tell its place and size");
    command->callback([only_tell, &chosen] {
        chosen = [only_tell](Session& session) { return clean(session, *only_tell); };
    });
}

}  // namespace vrnic::runner
