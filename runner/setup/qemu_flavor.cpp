// SPDX-License-Identifier: GPL-2.0-or-later
#include <cctype>

#include "setup/apt.h"
#include "setup/qemu.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

// Raised when what this file makes changes.
constexpr std::string_view format = "qemu 1";
constexpr std::uintmax_t space_needed = 500ull << 20;
constexpr const char* libraries = "usr/lib/x86_64-linux-gnu";

// "1:7.2+dfsg-7+deb12u18" to "7.2".
std::string major_minor(std::string_view version) {
    if (const auto epoch = version.find(':'); epoch != std::string_view::npos)
        version.remove_prefix(epoch + 1);
    std::size_t end = 0;
    int dots = 0;
    while (end < version.size() && (std::isdigit(static_cast<unsigned char>(version[end])) ||
                                    (version[end] == '.' && ++dots < 2)))
        ++end;
    return std::string(version.substr(0, end));
}

// "1:7.2+dfsg-7+deb12u18+b3" is a rebuild of the source without "+b3".
std::string without_rebuild(std::string version) {
    if (const auto at = version.rfind("+b");
        at != std::string::npos &&
        version.find_first_not_of("0123456789", at + 2) == std::string::npos)
        version.resize(at);
    return version;
}

Result<QemuFlavor> system_qemu(const Context& context) {
    const auto version =
        tool_output({"dpkg-query", "-W", "-f", "${source:Version}", "qemu-system-x86"});
    if (!version || version->empty())
        return setup_error("qemu-system-x86 is not installed: apt-get install qemu-system-x86");
    const auto headers = qemu_headers(context, {"bookworm", "bookworm-backports"}, *version);
    if (!headers) return std::unexpected(headers.error());
    return QemuFlavor{major_minor(*version), *version, *headers, {"qemu-system-x86_64"}};
}

Result<void> make_private(const Context& context, const std::string& release,
                          const Cache::Place& place) {
    auto apt = Apt::open(context.loop, context.progress, context.cache, release);
    if (!apt) return std::unexpected(apt.error());
    const auto fields = apt->show("qemu-system-x86");
    if (!fields) return std::unexpected(fields.error());
    const std::string what = "qemu-" + release;
    const auto files = apt->download_closure(what, {"qemu-system-x86"});
    if (!files) return std::unexpected(files.error());
    if (auto done = apt->unpack(what, *files, place.making); !done) return done;
    apt->drop(what);
    return write_text(place.making / "version", without_rebuild(fields->at("Version")));
}

// Debian 13's QEMU on an older system: through its own dynamic loader and libraries. It looks
// for modules and firmware beside /proc/self/exe, which is that loader: so it is told where.
Result<QemuFlavor> private_qemu(const Context& context, const std::string& release) {
    CacheKey key("qemu-" + release);
    key.add(format);
    const auto entry = context.cache.entry(
        context.loop, context.progress, key, space_needed,
        [&](const Cache::Place& place) { return make_private(context, release, place); });
    if (!entry) return std::unexpected(entry.error());
    const auto version = read_text(*entry / "version");
    if (!version) return std::unexpected(version.error());
    const auto headers = qemu_headers(context, {release}, *version);
    if (!headers) return std::unexpected(headers.error());
    const fs::path& root = *entry;
    return QemuFlavor{major_minor(*version),
                      *version,
                      *headers,
                      {"env", "QEMU_MODULE_DIR=" + (root / libraries / "qemu").string(),
                       root / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", root / libraries,
                       root / "usr/bin/qemu-system-x86_64", "-L", root / "usr/share/qemu", "-L",
                       root / "usr/share/seabios", "-L", root / "usr/lib/ipxe/qemu"}};
}

}  // namespace

Result<QemuFlavor> qemu_flavor(const Context& context, const std::string& which) {
    if (which == "system") return system_qemu(context);
    if (which == "10.0") return private_qemu(context, "trixie");
    return setup_error("no QEMU named '{}'; there are: system, 10.0", which);
}

}  // namespace vrnic::setup
