// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/kernel_build.h"

#include <fmt/ranges.h>
#include <glib.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "setup/kernel_config.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

// Below the work folder.
constexpr std::string_view source_folder = "source";
constexpr std::string_view tools_folder = "tools";

std::string log_name(const KernelRecipe& recipe, std::string_view what) {
    return fmt::format("kernel-{}-{}", recipe.name, what);
}

bool has_program(const char* name) {
    char* found = g_find_program_in_path(name);
    g_free(found);
    return found != nullptr;
}

std::string count_lines(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return fmt::format("{} steps", std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
}

class KernelBuild {
  public:
    KernelBuild(const Context& context, const KernelRecipe& recipe, const KernelBuildPlaces& places)
        : context_(context),
          recipe_(recipe),
          places_(places),
          source_(places.work / source_folder),
          tools_(places.work / tools_folder) {}

    Result<void> configure();
    Result<void> compile();
    Result<std::string> install();

  private:
    // what: ends the log's name.
    Result<void> make(std::string_view what, std::vector<std::string> arguments);
    Result<void> run(std::string_view what, std::vector<std::string> argv);
    Result<void> check(std::string_view config, std::string_view whose) const;
    [[nodiscard]] Environment environment() const;

    const Context& context_;
    const KernelRecipe& recipe_;
    const KernelBuildPlaces& places_;
    fs::path source_;
    fs::path tools_;
};

// The packages of tools are unpacked, not installed: that would need root.
Environment KernelBuild::environment() const {
    const fs::path usr = tools_ / "usr", libraries = usr / "lib/x86_64-linux-gnu";
    const char* path = g_getenv("PATH");
    return {{"PATH", fmt::format("{}:{}", (usr / "bin").string(), path ? path : "/usr/bin:/bin")},
            {"LD_LIBRARY_PATH", libraries},
            {"LIBRARY_PATH", libraries},
            {"C_INCLUDE_PATH", usr / "include"},
            {"BISON_PKGDATADIR", usr / "share/bison"},
            {"M4", usr / "bin/m4"},
            {"KBUILD_BUILD_USER", "vrnic"},
            {"KBUILD_BUILD_HOST", "vrnic"}};
}

Result<void> KernelBuild::run(std::string_view what, std::vector<std::string> argv) {
    const fs::path log = context_.cache.log(log_name(recipe_, what));
    return run_tool(context_.loop, context_.progress,
                    {.argv = std::move(argv),
                     .directory = source_,
                     .log = log,
                     .environment = environment(),
                     .detail = [log] { return count_lines(log); }});
}

Result<void> KernelBuild::make(std::string_view what, std::vector<std::string> arguments) {
    std::vector<std::string> argv = {"make", fmt::format("-j{}", g_get_num_processors())};
    // Both, or the kernel takes it for a cross build.
    if (has_program("ccache"))
        argv.insert(argv.end(), {"CC=ccache gcc", "HOSTCC=ccache gcc", "HOSTCXX=ccache g++"});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(what, std::move(argv));
}

Result<void> KernelBuild::check(std::string_view config, std::string_view whose) const {
    const auto missing = missing_options(recipe_.config, config);
    if (missing.empty()) return {};
    return setup_error("{} lacks what images/kernels asks for: {}", whose,
                       fmt::join(missing, ", "));
}

Result<void> KernelBuild::configure() {
    context_.progress.step(fmt::format("configuring kernel {}", recipe_.name));
    if (auto done = make("config", {"allnoconfig"}); !done) return done;
    // Of two lines of one option Kconfig takes the later.
    const auto base = read_text(source_ / ".config");
    if (!base) return std::unexpected(base.error());
    if (auto done = write_text(source_ / ".config", *base + recipe_.config); !done) return done;
    if (auto done = make("config", {"olddefconfig"}); !done) return done;
    const auto config = read_text(source_ / ".config");
    if (!config) return std::unexpected(config.error());
    return check(*config, fmt::format("the configuration of kernel {}", recipe_.name));
}

Result<void> KernelBuild::compile() {
    context_.progress.step(
        fmt::format("building kernel {} (once, 15 to 20 minutes on 2 cores)", recipe_.name));
    if (auto done = make("build", {"bzImage", "modules"}); !done) return done;
    const auto carried = tool_output({source_ / "scripts/extract-ikconfig", source_ / "vmlinux"});
    if (!carried) return std::unexpected(carried.error());
    if (auto done = check(*carried, fmt::format("the built kernel {}", recipe_.name)); !done)
        return done;
    return write_text(places_.config, *carried);
}

Result<std::string> KernelBuild::install() {
    auto release = read_text(source_ / "include/config/kernel.release");
    if (!release) return std::unexpected(release.error());
    release->erase(release->find_last_not_of(" \n") + 1);

    context_.progress.step(fmt::format("installing kernel {}", *release));
    auto done = make("install", {"INSTALL_MOD_PATH=" + places_.image.string(),
                                 "INSTALL_MOD_STRIP=1", "modules_install"});
    if (!done) return std::unexpected(done.error());
    // The kernel's own choice of what building modules needs.
    const fs::path headers = places_.headers / ("linux-headers-" + *release);
    done = make("headers", {"run-command", fmt::format("KBUILD_RUN_COMMAND=+"
                                                       "$(srctree)/scripts/package/"
                                                       "install-extmod-build {}",
                                                       headers.string())});
    if (!done) return std::unexpected(done.error());

    std::error_code error;
    for (const auto& [from, to] : {std::pair{"arch/x86/boot/bzImage", places_.bzimage},
                                   std::pair{"vmlinux", places_.symbols}}) {
        fs::rename(source_ / from, to, error);
        if (error) return setup_error("cannot take {} of the kernel: {}", from, error.message());
    }
    fs::remove_all(places_.work, error);
    return *release;
}

}  // namespace

Result<void> fetch_kernel_source(const Context& context, Apt& apt, const KernelRecipe& recipe,
                                 const std::string& package, const fs::path& work) {
    const fs::path unpacked = work / "package", folder = work / source_folder;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return setup_error("cannot make {}: {}", folder.string(), error.message());
    const std::vector<std::string> sources = {package};
    for (const auto& [part, packages, to] :
         {std::tuple{"source", sources, unpacked},
          std::tuple{"tools", recipe.tools, work / tools_folder}}) {
        const std::string what = log_name(recipe, part);
        const auto files = apt.download(what, packages);
        if (!files) return std::unexpected(files.error());
        if (auto done = apt.unpack(what, *files, to); !done) return done;
        apt.drop(what);
    }

    context.progress.step(fmt::format("unpacking {}", package));
    const fs::path archive = unpacked / "usr/src" / (package + ".tar.xz");
    auto done = context.run({"tar", "--strip-components=1", "-xf", archive, "-C", folder},
                            log_name(recipe, "unpack"));
    fs::remove_all(unpacked, error);
    return done;
}

Result<std::string> build_kernel(const Context& context, const KernelRecipe& recipe,
                                 const KernelBuildPlaces& places) {
    KernelBuild build(context, recipe, places);
    if (auto done = build.configure(); !done) return std::unexpected(done.error());
    if (auto done = build.compile(); !done) return std::unexpected(done.error());
    return build.install();
}

}  // namespace vrnic::setup
