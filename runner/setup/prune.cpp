// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/prune.h"

namespace vrnic::setup {

namespace fs = std::filesystem;

// What is kept is put aside and then put back.
Result<void> prune(const fs::path& tree, const std::vector<std::string>& paths,
                   const std::vector<std::string>& keep) {
    std::error_code error;
    const auto aside = [&](std::size_t i) { return tree / fmt::format(".kept-{}", i); };
    for (std::size_t i = 0; i < keep.size(); ++i) {
        fs::rename(tree / keep[i], aside(i), error);
        if (error) return setup_error("cannot keep /{} of the guest: {}", keep[i], error.message());
    }
    for (const auto& path : paths) fs::remove_all(tree / path, error);
    for (std::size_t i = 0; i < keep.size(); ++i) {
        fs::create_directories((tree / keep[i]).parent_path(), error);
        fs::rename(aside(i), tree / keep[i], error);
        if (error)
            return setup_error("cannot put /{} of the guest back: {}", keep[i], error.message());
    }
    return {};
}

}  // namespace vrnic::setup
