// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <vector>

#include "setup/context.h"

namespace vrnic::setup {

// Replaces each file that ends in .zst, .xz, .lz4 or .gz by its content, without the suffix.
// Other files are left as they are.
[[nodiscard]] Result<void> decompress_in_place(const Context& context,
                                               const std::vector<std::filesystem::path>& files);

}  // namespace vrnic::setup
