// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "setup/context.h"

namespace vrnic::setup {

// A kernel of the distribution, ready to boot and to build modules for.
struct Kernel {
    std::filesystem::path entry;    // its folder in the cache
    std::string release;            // uname -r
    std::filesystem::path vmlinux;  // uncompressed ELF, started through PVH
    std::filesystem::path initrd;
    std::filesystem::path modules;  // folder that holds lib/modules/RELEASE, uncompressed, reduced
    std::filesystem::path build;    // for `make -C`, headers and kbuild
};

// name: a recipe in images/kernels.
[[nodiscard]] Result<Kernel> kernel(const Context& context, const std::string& name);

}  // namespace vrnic::setup
