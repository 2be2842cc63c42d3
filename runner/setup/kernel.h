// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "setup/context.h"

namespace vrnic::setup {

// A kernel, ready to boot and to build modules for.
struct Kernel {
    std::filesystem::path entry;  // its folder in the cache
    std::string release;          // uname -r
    std::filesystem::path boot;   // uncompressed ELF, started through PVH, or a bzImage
    std::filesystem::path initrd;
    std::filesystem::path modules;  // folder that holds lib/modules/RELEASE, uncompressed, reduced
    std::filesystem::path build;    // for `make -C`, headers and kbuild
    int least_memory_mib = 0;       // of its recipe
    int slowness = 1;
};

// name: a recipe in images/kernels.
[[nodiscard]] Result<Kernel> kernel(const Context& context, const std::string& name);

}  // namespace vrnic::setup
