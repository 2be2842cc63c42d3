// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/build.h"

#include <algorithm>
#include <set>

#include "setup/meson_build.h"
#include "setup/rdma_core.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

constexpr const char* modules[] = {"vrnic.ko", "vrnic_stream.ko", "vrnic_ib.ko"};

// Parts of the checkout that the kernel's build system is given.
constexpr const char* driver_folders[] = {"guest-driver", "uapi"};

// Kbuild writes beside the sources. It gets a tree of links to them instead, so that the checkout
// stays clean and every kernel has its own objects. The result describes the state of all
// sources: path, size and time.
Result<std::string> shadow(const fs::path& from, const fs::path& to) {
    std::string state;
    std::set<fs::path> linked;
    std::error_code error;
    fs::create_directories(to, error);
    for (fs::recursive_directory_iterator at(from, error), end; !error && at != end;
         at.increment(error)) {
        const fs::path relative = fs::relative(at->path(), from);
        if (at->is_directory()) {
            fs::create_directories(to / relative, error);
            continue;
        }
        const fs::path link = to / relative;
        linked.insert(link);
        state += fmt::format("{} {} {}\n", relative.string(), at->file_size(),
                             at->last_write_time().time_since_epoch().count());
        if (std::error_code none; fs::is_symlink(fs::symlink_status(link, none))) continue;
        fs::create_symlink(at->path(), link, error);
    }
    if (error)
        return setup_error("cannot link {} into {}: {}", from.string(), to.string(),
                           error.message());

    // Sources that are gone; what Kbuild made is no link and stays.
    std::vector<fs::path> stale;
    for (const auto& file : fs::recursive_directory_iterator(to))
        if (file.is_symlink() && !linked.contains(file.path())) stale.push_back(file.path());
    for (const auto& file : stale) fs::remove(file, error);
    return state;
}

Result<void> run_kbuild(const Context& context, const GuestImage& image, const fs::path& folder,
                        const std::string& log) {
    // Type information for BPF would need pahole, and is of no use for a few modules.
    return context.run({"make", "-C", image.kernel_build, "M=" + folder.string(),
                        "CONFIG_DEBUG_INFO_BTF_MODULES=", "-j2", "modules"},
                       log);
}

Result<void> build_modules(const Context& context, const GuestImage& image, const fs::path& place) {
    std::string state = image.kernel_build.string() + "\n";
    for (const auto* folder : driver_folders) {
        const auto part = shadow(context.project.source / folder, place / folder);
        if (!part) return std::unexpected(part.error());
        state += *part;
    }
    const fs::path stamp = place / "stamp", driver = place / "guest-driver";
    const bool whole = std::ranges::all_of(modules, [&](const char* module) {
        std::error_code error;
        return fs::exists(driver / module, error);
    });
    if (const auto before = read_text(stamp); whole && before && *before == state) return {};

    context.progress.step(fmt::format("building the kernel modules for {}", image.kernel_release));
    const std::string log = "modules-" + image.kernel_release;
    if (auto built = run_kbuild(context, image, driver, log); !built) return built;
    context.progress.done();
    if (const auto text = read_text(context.cache.log(log));
        text && text->find("warning:") != std::string::npos)
        context.progress.note(fmt::format("the kernel modules were built with warnings: {}",
                                          context.cache.log(log).string()));
    return write_text(stamp, state);
}

// Without debug information, which is most of its size and is read through 9p at each boot; the
// build folder keeps it. By rename: a guest that has the share mounted sees the old file or the
// new.
Result<void> place_stripped(const Context& context, const fs::path& from, const fs::path& folder) {
    const fs::path to = folder / from.filename(), making = to.string() + ".new";
    std::error_code error;
    const auto before = fs::last_write_time(to, error);
    if (!error && before >= fs::last_write_time(from, error)) return {};
    if (auto done = context.run({"strip", "--strip-debug", "-o", making, from}, "strip"); !done)
        return done;
    fs::rename(making, to, error);
    if (error) return setup_error("cannot rename {}: {}", making.string(), error.message());
    return {};
}

}  // namespace

Result<fs::path> build_device(const Context& context, const std::vector<QemuFlavor>& flavors) {
    auto meson = MesonBuild::open(context);
    if (!meson) return std::unexpected(meson.error());
    for (const auto& flavor : flavors) meson->want_qemu_headers(flavor.version, flavor.headers);
    if (auto done = meson->configure(); !done) return std::unexpected(done.error());

    const fs::path folder = context.project.build / "qemu-device";
    std::vector<fs::path> outputs = {folder / "vrnic.so"};
    for (const auto& flavor : flavors)
        outputs.push_back(folder / fmt::format("vrnic-qemu-{}.so", flavor.version));
    if (auto done = meson->build("the QEMU device", outputs); !done)
        return std::unexpected(done.error());
    return outputs.front();
}

Result<void> configure_guest_lib(const Context& context) {
    const auto headers = rdma_core_headers(context);
    if (!headers) return std::unexpected(headers.error());
    auto meson = MesonBuild::open(context);
    if (!meson) return std::unexpected(meson.error());
    meson->want_rdma_core_headers(*headers);
    return meson->configure();
}

Result<fs::path> build_guest_parts(const Context& context, const GuestImage& image) {
    if (auto done = configure_guest_lib(context); !done) return std::unexpected(done.error());
    auto meson = MesonBuild::open(context);
    if (!meson) return std::unexpected(meson.error());
    auto outputs = meson->outputs_below("guest-lib");
    if (!outputs) return std::unexpected(outputs.error());
    outputs->push_back(context.project.build / "runner/vrnic-agent");
    if (auto done = meson->build("the guest's library and tools", *outputs); !done)
        return std::unexpected(done.error());
    const fs::path place = context.project.build / "guest" / image.kernel_release;
    if (auto done = build_modules(context, image, place); !done)
        return std::unexpected(done.error());

    const fs::path share = place / "share";
    std::error_code error;
    fs::create_directories(share, error);
    for (const auto* module : modules) outputs->push_back(place / "guest-driver" / module);
    for (const auto& output : *outputs)
        if (output.extension() != ".a")  // parts of the others
            if (auto done = place_stripped(context, output, share); !done)
                return std::unexpected(done.error());
    return share;
}

Result<fs::path> build_test_modules(const Context& context, const GuestImage& image,
                                    const std::string& folder) {
    auto meson = MesonBuild::open(context);  // for its lock
    if (!meson) return std::unexpected(meson.error());
    const fs::path place = context.project.build / "guest" / image.kernel_release / "tests";
    const fs::path stamp = (place / folder).parent_path() / "stamp";
    auto state = shadow(context.project.source / folder, place / folder);
    if (!state) return std::unexpected(state.error());
    *state += image.kernel_build.string();
    // One may be built from the driver's sources.
    *state += read_text(context.project.build / "guest" / image.kernel_release / "stamp").value_or("");
    if (const auto before = read_text(stamp); before && *before == *state)
        return place / folder;
    if (auto done = run_kbuild(context, image, place / folder, "test-modules"); !done)
        return std::unexpected(done.error());
    if (auto done = write_text(stamp, *state); !done)
        return std::unexpected(done.error());
    return place / folder;
}

Result<std::vector<fs::path>> build_below(const Context& context, const std::string& folder) {
    auto meson = MesonBuild::open(context);
    if (!meson) return std::unexpected(meson.error());
    auto outputs = meson->outputs_below(folder);
    if (!outputs) return std::unexpected(outputs.error());
    if (outputs->empty()) return setup_error("nothing is built below {}", folder);
    if (auto done = meson->build(folder, *outputs); !done) return std::unexpected(done.error());
    return outputs;
}

}  // namespace vrnic::setup
