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
        // One that is packaged has its version's name.
        CHECK((recipe->is_built() || recipe->version.starts_with(name)));
        CHECK_FALSE(recipe->sources.empty());
        CHECK(recipe->slowness >= 1);
    }
}

TEST_CASE("a kernel that is built has its options, and its key depends on them") {
    testing::Scratch scratch;
    const auto kernels = scratch.folder() / "kernels";
    REQUIRE(write_text(kernels / "common.json", R"({"initrd": [], "guest": []})"));
    REQUIRE(write_text(kernels / "a.json", R"({"version": "6.", "config": "a.config",
        "sources": [{"release": "r", "prefer": "", "source": "linux-source"}],
        "tools": ["flex"], "least_memory": 1024, "slowness": 3})"));
    CHECK_FALSE(kernel_recipe(scratch.folder(), "a"));  // a.config is not there
    REQUIRE(write_text(kernels / "a.config", "CONFIG_KASAN=y\n"));
    const auto recipe = kernel_recipe(scratch.folder(), "a");
    REQUIRE(recipe);
    CHECK(recipe->is_built());
    CHECK(recipe->config == "CONFIG_KASAN=y\n");
    CHECK(recipe->sources.front().package == "linux-source");
    CHECK(recipe->least_memory_mib == 1024);
    CHECK(recipe->slowness == 3);
    REQUIRE(write_text(kernels / "a.config", "CONFIG_KASAN=y\nCONFIG_UBSAN=y\n"));
    CHECK(kernel_recipe(scratch.folder(), "a")->text != recipe->text);
}

TEST_CASE("an unknown name is answered with those there are") {
    const auto guest = guest_recipe(images, "plan9");
    REQUIRE_FALSE(guest);
    CHECK(guest.error().message == "no guest named 'plan9'; there are: debian12, debian13");
    const auto kernel = kernel_recipe(images, "../guests/debian13");
    REQUIRE_FALSE(kernel);
    CHECK(kernel.error().message.find("6.1, 6.12, debug") != std::string::npos);
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
