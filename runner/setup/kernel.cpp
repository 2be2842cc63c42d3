// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/kernel.h"

#include <algorithm>

#include "setup/apt.h"
#include "setup/bzimage.h"
#include "setup/cpio.h"
#include "setup/decompress.h"
#include "setup/kernel_build.h"
#include "setup/modules.h"
#include "setup/recipe.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

// Raised when what this file makes changes.
constexpr std::string_view format = "kernel 1";
constexpr std::uintmax_t packaged_space = 900ull << 20;
constexpr std::uintmax_t built_space = 5ull << 30;

struct ChosenPackages {
    std::string release;
    std::vector<std::string> image;  // and what its initrd needs
    std::vector<std::string> headers;
};

// The package that a source names, when it is of the recipe's version.
Result<PackageFields> find_package(const Apt& apt, const KernelRecipe& recipe,
                                   const KernelRecipe::Source& source) {
    auto fields = apt.show(source.package);
    if (!fields) return fields;
    const auto version = fields->find("Version");
    if (version == fields->end() || !version->second.starts_with(recipe.version))
        return setup_error("{} of Debian {} is not {}*", source.package, source.release,
                           recipe.version);
    return fields;
}

// image: the fields of a package that depends on the kernel's.
Result<ChosenPackages> choose_packages(const Apt& apt, const PackageFields& image) {
    constexpr std::string_view image_prefix = "linux-image-";
    const auto images = depends_on(image, image_prefix);
    if (images.empty()) return setup_error("{} names no kernel", image.at("Package"));

    ChosenPackages chosen;
    chosen.release = images.front().substr(image_prefix.size());
    chosen.image = {images.front(), "busybox-static"};
    const std::string headers = "linux-headers-" + chosen.release;
    chosen.headers = {headers};
    const auto fields = apt.show(headers);
    if (!fields) return std::unexpected(fields.error());
    for (const auto* prefix : {"linux-headers-", "linux-kbuild-", "linux-compiler-"})
        std::ranges::copy(depends_on(*fields, prefix), std::back_inserter(chosen.headers));
    return chosen;
}

Result<void> make_vmlinux(const Context& context, const fs::path& bzimage, const fs::path& to) {
    const auto image = read_text(bzimage);
    if (!image) return std::unexpected(image.error());
    const auto payload =
        kernel_payload({reinterpret_cast<const std::uint8_t*>(image->data()), image->size()});
    if (!payload) return std::unexpected(payload.error());

    const fs::path packed = to.string() + std::string(payload->suffix);
    if (auto written = write_text(
            packed, {reinterpret_cast<const char*>(payload->bytes.data()), payload->bytes.size()});
        !written)
        return written;
    return decompress_in_place(context, {packed});
}

// Copies the wanted modules from one tree into another, with a modules.dep of their own.
Result<void> make_module_tree(const Context& context, const KernelRecipe& recipe,
                              const fs::path& from, const fs::path& to,
                              const std::string& release) {
    const fs::path in = from / "lib/modules" / release, out = to / "lib/modules" / release;
    if (auto done = context.run({"depmod", "-b", from, release}, "depmod"); !done) return done;
    const auto dep = read_text(in / "modules.dep");
    if (!dep) return std::unexpected(dep.error());
    const ModuleTable table(*dep);

    std::vector<std::string> wanted;
    for (const auto& root : recipe.guest_modules)
        std::ranges::copy(table.below(root), std::back_inserter(wanted));
    for (const auto& name : recipe.initrd_modules)
        if (const auto path = table.named(name); !path.empty()) wanted.push_back(path);

    std::error_code error;
    std::vector<fs::path> copies;
    for (const auto& module : table.with_dependencies(wanted)) {
        const fs::path copy = out / module;
        fs::create_directories(copy.parent_path(), error);
        fs::copy_file(in / module, copy, error);
        if (error) return setup_error("cannot copy {}: {}", module, error.message());
        copies.push_back(copy);
    }
    for (const auto* list : {"modules.order", "modules.builtin", "modules.builtin.modinfo"}) {
        fs::copy_file(in / list, out / list, error);
        if (error) return setup_error("cannot copy {}: {}", list, error.message());
    }
    // Decompression in a guest without KVM would cost seconds.
    if (auto done = decompress_in_place(context, copies); !done) return done;
    return context.run({"depmod", "-b", to, release}, "depmod");
}

Result<void> make_initrd(const Context& context, const KernelRecipe& recipe,
                         const fs::path& busybox, const fs::path& modules,
                         const std::string& release, const fs::path& to) {
    const fs::path tree = modules / "lib/modules" / release;
    const auto dep = read_text(tree / "modules.dep");
    const auto init = read_text(context.project.source / "images/initrd-init");
    const auto shell = read_text(busybox);
    for (const auto* part : {&dep, &init, &shell})
        if (!*part) return std::unexpected(part->error());

    Cpio archive;
    for (const auto* folder : {"dev", "bin", "modules"}) archive.folder(folder);
    // The kernel opens it for its first process before anything is mounted.
    archive.character_device("dev/console", 5, 1, 0600);
    archive.file("init", *init, 0755);
    archive.file("bin/busybox", *shell, 0755);

    const ModuleTable table(*dep);
    std::vector<std::string> wanted;
    for (const auto& name : recipe.initrd_modules)
        if (const auto path = table.named(name); !path.empty()) wanted.push_back(path);
    std::string order;
    for (const auto& path : table.with_dependencies(wanted)) {
        const auto module = read_text(tree / path);
        if (!module) return std::unexpected(module.error());
        const std::string file = fs::path(path).filename();
        archive.file("modules/" + file, *module, 0644);
        order += file + "\n";
    }
    archive.file("modules/order", order, 0644);
    return write_text(to, archive.finish());
}

// The headers' Makefile names the place where the package would have been installed.
Result<void> relocate_headers(const fs::path& makefile, const fs::path& final_sources) {
    auto text = read_text(makefile);
    if (!text) return std::unexpected(text.error());
    constexpr std::string_view installed = "/usr/src/";
    const std::string here = final_sources.string() + "/";
    for (std::size_t at = 0; (at = text->find(installed, at)) != std::string::npos;
         at += here.size())
        text->replace(at, installed.size(), here);
    return write_text(makefile, *text);
}

// What QEMU is given. A debug kernel as ELF dies without a word.
constexpr std::string_view packaged_boot = "vmlinux";
constexpr std::string_view built_boot = "bzImage";
// While it is made: what packages hold, and what a build needs.
constexpr std::string_view image_folder = "image";
constexpr std::string_view work_folder = "work";

fs::path headers_folder(const fs::path& entry, const std::string& release) {
    return entry / "headers/usr/src" / ("linux-headers-" + release);
}

Result<void> unpack_packages(Apt& apt, const std::string& what,
                             const std::vector<std::string>& packages, const fs::path& folder) {
    const auto files = apt.download(what, packages);
    if (!files) return std::unexpected(files.error());
    if (auto done = apt.unpack(what, *files, folder); !done) return done;
    apt.drop(what);
    return {};
}

Result<void> get_packaged(const Context& context, Apt& apt, const KernelRecipe& recipe,
                          const KernelRecipe::Source& source, const Cache::Place& place) {
    const auto package = find_package(apt, recipe, source);
    if (!package) return std::unexpected(package.error());
    const auto chosen = choose_packages(apt, *package);
    if (!chosen) return std::unexpected(chosen.error());
    const std::string& release = chosen->release;
    const fs::path image = place.making / image_folder;
    if (auto done = unpack_packages(apt, "kernel-" + recipe.name, chosen->image, image); !done)
        return done;
    if (auto done = unpack_packages(apt, "kernel-headers-" + recipe.name, chosen->headers,
                                    place.making / "headers");
        !done)
        return done;

    context.progress.step(fmt::format("preparing kernel {}", release));
    if (auto done = make_vmlinux(context, image / "boot" / ("vmlinuz-" + release),
                                 place.making / packaged_boot);
        !done)
        return done;
    if (auto done = relocate_headers(headers_folder(place.making, release) / "Makefile",
                                     headers_folder(place.final, release).parent_path());
        !done)
        return done;
    std::error_code error;
    fs::copy_file(image / "boot" / ("config-" + release), place.making / "config", error);
    return write_text(place.making / "release", release);
}

Result<void> get_source(const Context& context, Apt& apt, const KernelRecipe& recipe,
                        const KernelRecipe::Source& source, const Cache::Place& place) {
    if (const auto package = find_package(apt, recipe, source); !package)
        return std::unexpected(package.error());
    if (auto done =
            fetch_kernel_source(context, apt, recipe, source.package, place.making / work_folder);
        !done)
        return done;
    return unpack_packages(apt, "kernel-" + recipe.name, {"busybox-static"},
                           place.making / image_folder);
}

// From the first source that has it.
Result<void> get_parts(const Context& context, const KernelRecipe& recipe,
                       const Cache::Place& place) {
    const auto get = recipe.is_built() ? get_source : get_packaged;
    Result<void> got;
    for (const auto& source : recipe.sources) {
        auto apt = Apt::open(context.loop, context.progress, context.cache, source.release);
        if (apt) {
            apt->prefer(source.prefer);
            got = get(context, *apt, recipe, source, place);
        } else {
            got = std::unexpected(apt.error());
        }
        if (got || got.error().status == ExitStatus::interrupted) break;
    }
    return got;
}

Result<void> make_kernel(const Context& context, const KernelRecipe& recipe,
                         const Cache::Place& place) {
    if (auto done = get_parts(context, recipe, place); !done) return done;
    const fs::path image = place.making / image_folder, modules = place.making / "modules";
    if (recipe.is_built()) {
        const auto release = build_kernel(context, recipe,
                                          {.work = place.making / work_folder,
                                           .bzimage = place.making / built_boot,
                                           .symbols = place.making / "vmlinux",
                                           .config = place.making / "config",
                                           .image = image,
                                           .headers = place.making / "headers/usr/src"});
        if (!release) return std::unexpected(release.error());
        if (auto done = write_text(place.making / "release", *release); !done) return done;
    }
    const auto release = read_text(place.making / "release");
    if (!release) return std::unexpected(release.error());
    if (auto done = make_module_tree(context, recipe, image, modules, *release); !done) return done;
    if (auto done = make_initrd(context, recipe, image / "bin/busybox", modules, *release,
                                place.making / "initrd");
        !done)
        return done;
    std::error_code error;
    fs::remove_all(image, error);
    return {};
}

}  // namespace

Result<Kernel> kernel(const Context& context, const std::string& name) {
    const auto recipe = kernel_recipe(context.project.source / "images", name);
    if (!recipe) return std::unexpected(recipe.error());
    const auto init = read_text(context.project.source / "images/initrd-init");
    if (!init) return std::unexpected(init.error());

    CacheKey key("kernel-" + name);
    key.add(format).add(recipe->text).add(*init);
    const auto entry = context.cache.entry(
        context.loop, context.progress, key, recipe->is_built() ? built_space : packaged_space,
        [&](const Cache::Place& place) { return make_kernel(context, *recipe, place); });
    if (!entry) return std::unexpected(entry.error());

    const auto release = read_text(*entry / "release");
    if (!release) return std::unexpected(release.error());
    return Kernel{*entry,
                  *release,
                  *entry / (recipe->is_built() ? built_boot : packaged_boot),
                  *entry / "initrd",
                  *entry / "modules",
                  headers_folder(*entry, *release),
                  recipe->least_memory_mib,
                  recipe->slowness};
}

}  // namespace vrnic::setup
