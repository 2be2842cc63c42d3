// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "setup/apt.h"
#include "setup/context.h"
#include "setup/recipe.h"

namespace vrnic::setup {

// Where a kernel's build puts what it makes.
struct KernelBuildPlaces {
    std::filesystem::path work;     // for sources and objects: gigabytes, removed at the end
    std::filesystem::path bzimage;  // file
    std::filesystem::path symbols;  // file: vmlinux, for a debugger
    std::filesystem::path config;   // file: the configuration that the built kernel carries
    std::filesystem::path image;    // folder, gets lib/modules/RELEASE
    std::filesystem::path headers;  // folder, gets linux-headers-RELEASE: for building modules
};

// Unpacks the distribution's source, out of a package, and the tools that building it needs, in a
// folder.
[[nodiscard]] Result<void> fetch_kernel_source(const Context& context, Apt& apt,
                                               const KernelRecipe& recipe,
                                               const std::string& package,
                                               const std::filesystem::path& work);

// Builds what was fetched to places.work, with the recipe's options, every one of which the kernel
// then has. The result is its release, as uname -r has it.
[[nodiscard]] Result<std::string> build_kernel(const Context& context, const KernelRecipe& recipe,
                                               const KernelBuildPlaces& places);

}  // namespace vrnic::setup
