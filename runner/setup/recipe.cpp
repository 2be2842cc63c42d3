// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/recipe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view shared_part = "common";

struct Texts {
    std::string own;
    std::string common;
};

Result<Texts> read_texts(const fs::path& folder, const std::string& name) {
    const auto names = recipe_names(folder);
    if (std::ranges::find(names, name) == names.end())
        return setup_error("no {} named '{}'; there are: {}",
                           folder.filename() == "guests" ? "guest" : "kernel", name,
                           fmt::join(names, ", "));
    auto own = read_text(folder / (name + ".json"));
    auto common = read_text(folder / fmt::format("{}.json", shared_part));
    if (!own) return std::unexpected(own.error());
    if (!common) return std::unexpected(common.error());
    return Texts{std::move(*own), std::move(*common)};
}

}  // namespace

std::vector<std::string> recipe_names(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ".json" && at->path().stem() != shared_part)
            names.push_back(at->path().stem());
    std::ranges::sort(names);
    return names;
}

Result<GuestRecipe> guest_recipe(const fs::path& images, const std::string& name) {
    const auto texts = read_texts(images / "guests", name);
    if (!texts) return std::unexpected(texts.error());
    try {
        const json own = json::parse(texts->own);
        const json common = json::parse(texts->common);
        GuestRecipe recipe{.name = name,
                           .release = own.value("release", ""),
                           .packages = own.at("packages"),
                           .prune = common.at("prune"),
                           .keep = own.value("keep", std::vector<std::string>()),
                           .folders = common.at("folders"),
                           .links = common.at("links"),
                           .files = common.at("files"),
                           .text = texts->own + texts->common};
        if (own.contains("like")) {  // another one and more packages
            const auto base = guest_recipe(images, own.at("like"));
            if (!base) return std::unexpected(base.error());
            recipe.release = base->release;
            recipe.packages.insert(recipe.packages.begin(), base->packages.begin(),
                                   base->packages.end());
            recipe.text += base->text;
        }
        if (recipe.release.empty()) return setup_error("images/guests/{}.json: no release", name);
        return recipe;
    } catch (const json::exception& error) {
        return setup_error("images/guests/{}.json or common.json: {}", name, error.what());
    }
}

Result<KernelRecipe> kernel_recipe(const fs::path& images, const std::string& name) {
    const auto texts = read_texts(images / "kernels", name);
    if (!texts) return std::unexpected(texts.error());
    try {
        const json own = json::parse(texts->own);
        const json common = json::parse(texts->common);
        KernelRecipe recipe;
        recipe.name = name;
        recipe.version = own.at("version");
        recipe.initrd_modules = common.at("initrd");
        recipe.guest_modules = common.at("guest");
        recipe.text = texts->own + texts->common;
        recipe.least_memory_mib = own.value("least_memory", recipe.least_memory_mib);
        recipe.slowness = own.value("slowness", recipe.slowness);
        if (own.contains("config")) {
            const auto config = read_text(images / "kernels" / own.at("config").get<std::string>());
            if (!config) return std::unexpected(config.error());
            recipe.config = *config;
            recipe.tools = own.at("tools");
            recipe.text += *config;
        }
        const char* package = recipe.is_built() ? "source" : "image";
        for (const auto& source : own.at("sources"))
            recipe.sources.push_back(
                {source.at("release"), source.at("prefer"), source.at(package)});
        return recipe;
    } catch (const json::exception& error) {
        return setup_error("images/kernels/{}.json or common.json: {}", name, error.what());
    }
}

}  // namespace vrnic::setup
