// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/guest.h"

#include <algorithm>

#include "setup/apt.h"
#include "setup/prune.h"
#include "setup/recipe.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

// Raised when what this file makes changes.
constexpr std::string_view format = "guest 1";
constexpr std::uintmax_t tree_space = 500ull << 20;
constexpr std::uintmax_t rootfs_space = 250ull << 20;

// Debian 12's packages still have files in /bin and /lib; every installed system has these as
// links into /usr.
Result<void> merge_usr(const fs::path& tree) {
    for (const auto* name : {"bin", "sbin", "lib", "lib64"}) {
        const fs::path top = tree / name, merged = tree / "usr" / name;
        std::error_code error;
        if (fs::is_symlink(fs::symlink_status(top, error))) continue;
        if (fs::is_directory(top, error)) {
            fs::create_directories(merged, error);
            fs::copy(top, merged,
                     fs::copy_options::recursive | fs::copy_options::copy_symlinks |
                         fs::copy_options::skip_existing,
                     error);
            if (error)
                return setup_error("cannot merge /{} of the guest: {}", name, error.message());
            fs::remove_all(top, error);
        }
        fs::create_symlink(fs::path("usr") / name, top, error);
        if (error) return setup_error("cannot link /{} of the guest: {}", name, error.message());
    }
    return {};
}

Result<void> apply_recipe(const GuestRecipe& recipe, const fs::path& tree) {
    std::error_code error;
    if (auto pruned = prune(tree, recipe.prune, recipe.keep); !pruned) return pruned;
    for (const auto& path : recipe.folders) fs::create_directories(tree / path, error);
    for (const auto& [path, target] : recipe.links) {
        fs::create_directories((tree / path).parent_path(), error);
        fs::remove_all(tree / path, error);
        fs::create_symlink(target, tree / path, error);
        if (error) return setup_error("cannot link {} in the guest: {}", path, error.message());
    }
    for (const auto& [path, content] : recipe.files) {
        fs::remove(tree / path, error);  // never through a link out of the tree
        if (auto written = write_text(tree / path, content); !written) return written;
    }
    return {};
}

Result<void> make_tree(const Context& context, const GuestRecipe& recipe, const GuestSpec& spec,
                       const fs::path& tree) {
    auto apt = Apt::open(context.loop, context.progress, context.cache, recipe.release);
    if (!apt) return std::unexpected(apt.error());
    auto packages = recipe.packages;
    packages.insert(packages.end(), spec.with.begin(), spec.with.end());
    const std::string what = "guest-" + recipe.name;
    const auto files = apt->download_closure(what, packages);
    if (!files) return std::unexpected(files.error());
    if (auto done = apt->unpack(what, *files, tree); !done) return done;
    if (auto done = merge_usr(tree); !done) return done;
    if (auto done = apply_recipe(recipe, tree); !done) return done;
    // Without root it works on paths instead of a changed root.
    if (auto done = context.run({"ldconfig", "-r", tree}, "ldconfig"); !done) return done;
    apt->drop(what);
    return {};
}

Result<void> make_rootfs(const Context& context, const fs::path& tree, const Kernel& kernel,
                         const Cache::Place& place) {
    context.progress.step("packing the guest's root file system");
    // Hard links: the tree is put together for mksquashfs without being copied.
    const fs::path whole = place.making / "tree";
    const auto link = fs::copy_options::recursive | fs::copy_options::copy_symlinks |
                      fs::copy_options::create_hard_links;
    std::error_code error;
    fs::copy(tree, whole, link, error);
    if (!error)
        fs::copy(kernel.modules / "lib/modules" / kernel.release,
                 whole / "usr/lib/modules" / kernel.release, link, error);
    if (error) return setup_error("cannot put the guest together: {}", error.message());

    const fs::path init = whole / "usr/lib/vrnic/init";
    fs::copy_file(context.project.source / "images/guest-init", init, error);
    if (error) return setup_error("cannot copy images/guest-init: {}", error.message());
    fs::permissions(init, fs::perms(0755), error);

    auto packed = context.run({"mksquashfs", whole, place.making / "rootfs.squashfs", "-comp",
                               "lz4", "-all-root", "-no-xattrs", "-noappend", "-no-progress"},
                              "mksquashfs");
    fs::remove_all(whole, error);
    return packed;
}

Result<fs::path> tree_entry(const Context& context, const GuestRecipe& recipe,
                            const GuestSpec& spec) {
    CacheKey key("guest-" + recipe.name);
    key.add(format).add(recipe.text);
    for (const auto& package : spec.with) key.add(package);
    return context.cache.entry(
        context.loop, context.progress, key, tree_space,
        [&](const Cache::Place& place) { return make_tree(context, recipe, spec, place.making); });
}

}  // namespace

Result<fs::path> guest_tree(const Context& context, const GuestSpec& spec) {
    const auto recipe = guest_recipe(context.project.source / "images", spec.guest);
    if (!recipe) return std::unexpected(recipe.error());
    return tree_entry(context, *recipe, spec);
}

Result<GuestImage> guest_image(const Context& context, const GuestSpec& spec) {
    const auto recipe = guest_recipe(context.project.source / "images", spec.guest);
    if (!recipe) return std::unexpected(recipe.error());
    const auto kernel = setup::kernel(context, spec.kernel);
    if (!kernel) return std::unexpected(kernel.error());
    const auto tree = tree_entry(context, *recipe, spec);
    if (!tree) return std::unexpected(tree.error());

    const auto init = read_text(context.project.source / "images/guest-init");
    if (!init) return std::unexpected(init.error());
    CacheKey key(fmt::format("rootfs-{}-{}", spec.guest, spec.kernel));
    key.add(format)
        .add(tree->filename().string())
        .add(kernel->entry.filename().string())
        .add(*init);
    const auto rootfs = context.cache.entry(
        context.loop, context.progress, key, rootfs_space,
        [&](const Cache::Place& place) { return make_rootfs(context, *tree, *kernel, place); });
    if (!rootfs) return std::unexpected(rootfs.error());
    return GuestImage{kernel->boot,  kernel->initrd, *rootfs / "rootfs.squashfs", kernel->release,
                      kernel->build, *tree,          kernel->least_memory_mib,    kernel->slowness};
}

}  // namespace vrnic::setup
