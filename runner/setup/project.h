// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>

namespace vrnic::setup {

// The checkout and its meson build folder.
struct Project {
    std::filesystem::path source;
    std::filesystem::path build;
};

}  // namespace vrnic::setup
