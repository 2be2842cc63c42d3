// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "setup/apt.h"
#include "setup/qemu.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

// Raised when what this file makes changes.
constexpr std::string_view format = "qemu-headers 1";
constexpr std::uintmax_t space_needed = 700ull << 20;

// What configure finds on every machine that Debian builds QEMU for x86 on. CONFIG_INT128 is the
// only one that changes structures a device sees.
constexpr std::string_view config_host =
    "#define CONFIG_POSIX 1\n"
    "#define CONFIG_LINUX 1\n"
    "#define HOST_X86_64 1\n"
    "#define CONFIG_INT128 1\n"
    "#define CONFIG_IOVEC 1\n";

// Headers below host/ are looked up as two include folders, the specific before the generic.
// In one folder: generic first, overwritten by specific.
constexpr const char* include_folders[] = {"include", "host/include/generic",
                                           "host/include/x86_64"};

Result<void> collect_headers(const Context& context, const fs::path& source, const fs::path& to) {
    std::error_code error;
    const auto merge = fs::copy_options::recursive | fs::copy_options::overwrite_existing;
    for (const auto* folder : include_folders) {
        if (!fs::is_directory(source / folder, error)) continue;  // not in every version
        fs::copy(source / folder, to, merge, error);
        if (error) return setup_error("cannot copy {} of QEMU: {}", folder, error.message());
    }
    // Some of the specific ones include the generic by its path from the top.
    if (fs::is_directory(source / "host/include", error))
        fs::copy(source / "host/include", to / "host/include", merge, error);

    const fs::path qapi = to / "qapi";
    auto generated = context.run({"python3", source / "scripts/qapi-gen.py", "-b", "-o", qapi,
                                  source / "qapi/qapi-schema.json"},
                                 "qapi-gen");
    if (!generated) return generated;
    std::vector<fs::path> useless;
    for (fs::directory_iterator at(qapi, error), end; !error && at != end; at.increment(error))
        if (at->is_regular_file() && at->path().extension() != ".h") useless.push_back(at->path());
    for (const auto& file : useless) fs::remove(file, error);

    auto version = read_text(source / "VERSION");
    if (!version) return std::unexpected(version.error());
    version->erase(version->find_last_not_of(" \n") + 1);
    const auto host = fmt::format("{}#define QEMU_VERSION \"{}\"\n", config_host, *version);
    if (auto written = write_text(to / "config-host.h", host); !written) return written;
    return write_text(to / "config-poison.h", "");
}

Result<void> make_headers(const Context& context, const std::string& release,
                          const std::string& version, const Cache::Place& place) {
    auto apt = Apt::open(context.loop, context.progress, context.cache, release);
    if (!apt) return std::unexpected(apt.error());
    const std::string what = "qemu-source-" + release;
    apt->drop(what);  // of another version
    const auto files = apt->download_source(what, "qemu=" + version);
    if (!files) return std::unexpected(files.error());
    const auto dsc = std::ranges::find_if(
        *files, [](const fs::path& file) { return file.extension() == ".dsc"; });
    if (dsc == files->end())
        return setup_error(
            "the mirror has no source of QEMU {}; run `apt-get update && apt-get "
            "upgrade` and try again",
            version);

    context.progress.step(fmt::format("preparing the headers of QEMU {}", version));
    const fs::path source = place.making / "source";
    // Debian's patches change structures: the bare upstream archive would be wrong.
    auto unpacked = context.run({"dpkg-source", "--no-check", "-x", *dsc, source}, "dpkg-source");
    if (!unpacked) return unpacked;
    if (auto done = collect_headers(context, source, place.making / "include"); !done) return done;
    std::error_code error;
    fs::remove_all(source, error);
    apt->drop(what);
    return {};
}

}  // namespace

Result<fs::path> qemu_headers(const Context& context, const std::vector<std::string>& releases,
                              const std::string& version) {
    CacheKey key("qemu-headers");
    key.add(format).add(version);
    const auto entry =
        context.cache.entry(context.loop, context.progress, key, space_needed,
                            [&](const Cache::Place& place) -> Result<void> {
                                Result<void> made;
                                for (const auto& release : releases) {
                                    made = make_headers(context, release, version, place);
                                    if (made || made.error().status == ExitStatus::interrupted)
                                        break;
                                }
                                return made;
                            });
    if (!entry) return std::unexpected(entry.error());
    return *entry / "include";
}

}  // namespace vrnic::setup
