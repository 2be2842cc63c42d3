// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/recipe.h"

#include <algorithm>

#include "unit/catch.h"
#include "unit/setup/scratch.h"

namespace vrnic::setup {
namespace {

const std::filesystem::path images = std::filesystem::path(VRNIC_SOURCE_ROOT) / "images";

}  // namespace

TEST_CASE("every guest and kernel of images/ can be read") {
    for (const auto& name : recipe_names(images / "guests")) {
        INFO(name);
        const auto recipe = guest_recipe(images, name);
        REQUIRE(recipe);
        CHECK_FALSE(recipe->packages.empty());
        // The guest's first process is a script for it.
        CHECK(std::ranges::count(recipe->packages, "busybox-static") == 1);
    }
    for (const auto& name : recipe_names(images / "kernels")) {
        INFO(name);
        const auto recipe = kernel_recipe(images, name);
        REQUIRE(recipe);
        CHECK(recipe->version.starts_with(name));
        CHECK_FALSE(recipe->sources.empty());
    }
}

TEST_CASE("an unknown name is answered with those there are") {
    const auto guest = guest_recipe(images, "plan9");
    REQUIRE_FALSE(guest);
    CHECK(guest.error().message == "no guest named 'plan9'; there are: debian12, debian13");
    const auto kernel = kernel_recipe(images, "../guests/debian13");
    REQUIRE_FALSE(kernel);
    CHECK(kernel.error().message.find("6.1, 6.12") != std::string::npos);
    CHECK_FALSE(guest_recipe(images, "common"));
}

TEST_CASE("a recipe that is no JSON, or lacks a field, names its file") {
    testing::Scratch scratch;
    REQUIRE(write_text(scratch.folder() / "guests/common.json", "{}"));
    REQUIRE(write_text(scratch.folder() / "guests/a.json", "{"));
    REQUIRE(write_text(scratch.folder() / "guests/b.json", R"({"release": "trixie"})"));
    for (const auto* name : {"a", "b"}) {
        const auto recipe = guest_recipe(scratch.folder(), name);
        REQUIRE_FALSE(recipe);
        CHECK(recipe.error().message.find(fmt::format("images/guests/{}.json", name)) !=
              std::string::npos);
    }
}

}  // namespace vrnic::setup
