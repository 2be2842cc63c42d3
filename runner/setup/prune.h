// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "setup/tool.h"

namespace vrnic::setup {

// Removes the paths from the tree, but what `keep` names below them. Paths that are not there are
// no error; one to be kept has to be there.
[[nodiscard]] Result<void> prune(const std::filesystem::path& tree,
                                 const std::vector<std::string>& paths,
                                 const std::vector<std::string>& keep);

}  // namespace vrnic::setup
