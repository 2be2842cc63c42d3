// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "setup/tool.h"

namespace vrnic::setup {

// The recipes of images/: what a guest and its kernel are made of. text is the files' own text,
// a part of the cache's key.

struct GuestRecipe {
    std::string name;
    std::string release;
    std::vector<std::string> packages;
    std::vector<std::string> prune;            // paths in the tree, removed
    std::vector<std::string> keep;             // paths below these that stay
    std::vector<std::string> folders;          // made
    std::map<std::string, std::string> links;  // path to target
    std::map<std::string, std::string> files;  // path to content
    std::string text;
};

struct KernelRecipe {
    struct Source {
        std::string release;  // whose index to look in
        std::string prefer;   // target release for apt; empty: none
        // A metapackage, the headers go by the kernel it names; or, of a kernel that is built here,
        // the package with its source.
        std::string package;
    };
    std::string name;
    std::string version;          // what the package's version begins with
    std::vector<Source> sources;  // the first that the mirror has is taken
    std::string config;           // options of a kernel that is built here; empty: a packaged one
    std::vector<std::string> tools;  // packages needed to build it, beside what set-up has
    int least_memory_mib = 0;
    int slowness = 1;                         // how many times longer things may take in it
    std::vector<std::string> initrd_modules;  // names
    std::vector<std::string> guest_modules;   // paths below kernel/, a folder with a slash behind
    std::string text;

    [[nodiscard]] bool is_built() const { return !config.empty(); }
};

[[nodiscard]] Result<GuestRecipe> guest_recipe(const std::filesystem::path& images,
                                               const std::string& name);
[[nodiscard]] Result<KernelRecipe> kernel_recipe(const std::filesystem::path& images,
                                                 const std::string& name);

// The names there are, for messages: "6.1, 6.12".
[[nodiscard]] std::vector<std::string> recipe_names(const std::filesystem::path& folder);

}  // namespace vrnic::setup
