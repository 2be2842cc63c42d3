// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/recipe.h"

#include <algorithm>

#include "setup/prune.h"
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

TEST_CASE("a guest may be like another, with more packages") {
    testing::Scratch scratch;
    const auto guests = scratch.folder() / "guests";
    REQUIRE(write_text(guests / "common.json",
                       R"({"prune": ["doc"], "folders": [], "links": {}, "files": {}})"));
    REQUIRE(write_text(guests / "a.json", R"({"release": "r", "packages": ["x", "y"]})"));
    REQUIRE(
        write_text(guests / "b.json", R"({"like": "a", "packages": ["z"], "keep": ["doc/z"]})"));
    REQUIRE(write_text(guests / "c.json", R"({"packages": ["z"]})"));
    REQUIRE(write_text(guests / "d.json", R"({"like": "e", "packages": ["z"]})"));
    const auto b = guest_recipe(scratch.folder(), "b");
    REQUIRE(b);
    CHECK(b->name == "b");
    CHECK(b->release == "r");
    CHECK(b->packages == std::vector<std::string>{"x", "y", "z"});
    CHECK(b->keep == std::vector<std::string>{"doc/z"});
    CHECK_FALSE(guest_recipe(scratch.folder(), "c"));  // no release
    CHECK_FALSE(guest_recipe(scratch.folder(), "d"));  // like none
    // What it is like is a part of its key.
    REQUIRE(write_text(guests / "a.json", R"({"release": "r", "packages": ["x"]})"));
    CHECK(guest_recipe(scratch.folder(), "b")->text != b->text);
}

TEST_CASE("pruning leaves what is kept") {
    testing::Scratch scratch;
    const auto tree = scratch.folder() / "tree";
    for (const auto* file : {"doc/a/x", "doc/b/y/z", "doc/b/w", "other/v"})
        REQUIRE(write_text(tree / file, "text"));
    REQUIRE(prune(tree, {"doc", "none"}, {"doc/b/y"}));
    CHECK_FALSE(std::filesystem::exists(tree / "doc/a"));
    CHECK_FALSE(std::filesystem::exists(tree / "doc/b/w"));
    CHECK(std::filesystem::exists(tree / "doc/b/y/z"));
    CHECK(std::filesystem::exists(tree / "other/v"));
    CHECK(std::distance(std::filesystem::directory_iterator(tree), {}) == 2);
    CHECK_FALSE(prune(tree, {"doc"}, {"doc/none"}));
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
    CHECK(guest.error().message ==
          "no guest named 'plan9'; there are: "
          "debian12, debian12-pyverbs, debian13, debian13-pyverbs, debian13-ulp");
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
