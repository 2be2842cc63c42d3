// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/rdma_core.h"

#include <algorithm>
#include <array>

#include "setup/apt.h"
#include "setup/guest.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

// Raised when what this file makes changes.
constexpr std::string_view format = "rdma-core 2";
constexpr std::uintmax_t space_needed = 100ull << 20;
constexpr const char* guest_release = "trixie";  // of the default guest

// Folders of the source whose headers are included by another name.
struct HeaderFolder {
    const char* from;
    const char* to;
};
constexpr std::array<HeaderFolder, 6> header_folders = {{
    {"libibverbs", "infiniband"},
    {"librdmacm", "rdma"},
    {"ccan", "ccan"},
    {"util", "util"},
    {"kernel-headers/rdma", "rdma"},
    {"kernel-headers/linux", "linux"},
}};

// The one kernel header that the public verbs header includes, from beside itself.
constexpr const char* public_kernel_header = "ib_user_ioctl_verbs.h";

// The kernel's ABI headers of which rdma-core makes anonymous structures: a driver's request is
// the core's part with its own behind.
constexpr std::array<const char*, 2> abi_headers = {"ib_user_verbs.h", "rdma_user_rxe.h"};

// What its configuration finds on Debian with gcc on x86-64.
constexpr std::string_view config =
    "#pragma once\n"
    "#define HAVE_STATEMENT_EXPR 1\n"
    "#define HAVE_BUILTIN_TYPES_COMPATIBLE_P 1\n"
    "#define HAVE_TYPEOF 1\n"
    "#define HAVE_ISBLANK 1\n"
    "#define HAVE_BUILTIN_CLZ 1\n"
    "#define HAVE_BUILTIN_CLZL 1\n"
    "#define HAVE_FUNC_ATTRIBUTE_ALWAYS_INLINE 1\n"
    "#define HAVE_FUNC_ATTRIBUTE_IFUNC 1\n"
    "#define HAVE_FUNC_ATTRIBUTE_SYMVER 1\n"
    "#define HAVE_WORKING_IF_H 1\n"
    "#define HAVE_FULL_SYMBOL_VERSIONS 1\n"
    "#define SIZEOF_LONG 8\n"
    "#define STREAM_CLOEXEC \"e\"\n"
    "#define RDMA_CDEV_DIR \"/dev/infiniband\"\n"
    "#define IBV_CONFIG_DIR \"/etc/libibverbs.d\"\n"
    "#define VERBS_PROVIDER_DIR \"/usr/lib/x86_64-linux-gnu/libibverbs\"\n"
    "#define VERBS_IOCTL_ONLY 0\n"
    "#define VERBS_WRITE_ONLY 0\n";

// "set(IBVERBS_PABI_VERSION "34")" in the top CMakeLists.txt: part of the provider's file name
// and of the symbol it registers with.
Result<std::string> private_abi(const fs::path& source) {
    const auto text = read_text(source / "CMakeLists.txt");
    if (!text) return std::unexpected(text.error());
    constexpr std::string_view sign = "set(IBVERBS_PABI_VERSION \"";
    const auto at = text->find(sign);
    if (at == std::string::npos)
        return setup_error("rdma-core's source has no IBVERBS_PABI_VERSION");
    const auto begin = at + sign.size();
    return text->substr(begin, text->find('"', begin) - begin);
}

Result<void> copy_headers(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_directories(to, error);
    for (fs::directory_iterator at(from, error), end; !error && at != end; at.increment(error))
        if (at->is_regular_file() && at->path().extension() == ".h")
            if (!fs::copy_file(at->path(), to / at->path().filename(),
                               fs::copy_options::overwrite_existing, error))
                break;
    if (error) return setup_error("cannot copy {}: {}", from.string(), error.message());
    return {};
}

Result<void> collect(const Context& context, const fs::path& source, const fs::path& include) {
    for (const auto& folder : header_folders)
        if (auto done = copy_headers(source / folder.from, include / folder.to); !done) return done;
    std::error_code error;
    fs::copy_file(source / "kernel-headers/rdma" / public_kernel_header,
                  include / "infiniband" / public_kernel_header,
                  fs::copy_options::overwrite_existing, error);
    if (error) return setup_error("cannot copy {}: {}", public_kernel_header, error.message());
    fs::create_directories(include / "kernel-abi", error);
    for (const auto* header : abi_headers)
        if (auto done = context.run(
                {"python3", source / "buildlib/make_abi_structs.py",
                 source / "kernel-headers/rdma" / header, include / "kernel-abi" / header},
                "make-abi-structs");
            !done)
            return done;
    const auto abi = private_abi(source);
    if (!abi) return std::unexpected(abi.error());
    return write_text(include / "config.h",
                      fmt::format("{}#define IBVERBS_PABI_VERSION {}\n"
                                  "#define VERBS_PROVIDER_SUFFIX \"-rdmav{}.so\"\n",
                                  config, *abi, *abi));
}

Result<void> copy_library(const fs::path& tree, const fs::path& lib) {
    std::error_code error;
    fs::create_directories(lib, error);
    fs::copy_file(tree / "usr/lib/x86_64-linux-gnu/libibverbs.so.1", lib / "libibverbs.so.1",
                  error);
    if (!error) fs::create_symlink("libibverbs.so.1", lib / "libibverbs.so", error);
    if (error) return setup_error("cannot copy the guest's libibverbs: {}", error.message());
    return {};
}

Result<void> make_headers(const Context& context, const fs::path& tree, const Cache::Place& place) {
    const std::string what = "rdma-core-source";
    auto apt = Apt::open(context.loop, context.progress, context.cache, guest_release);
    if (!apt) return std::unexpected(apt.error());
    const auto files = apt->download_source(what, "rdma-core");
    if (!files) return std::unexpected(files.error());
    // Debian's patches touch other providers only, and mirrors were seen that have lost the .dsc.
    const auto archive = std::ranges::find_if(*files, [](const fs::path& file) {
        return file.string().find(".orig.tar.") != std::string::npos && file.extension() != ".asc";
    });
    if (archive == files->end()) return setup_error("the mirror has no source of rdma-core");

    context.progress.step("preparing the headers of rdma-core");
    const fs::path source = place.making / "source";
    std::error_code error;
    fs::create_directories(source, error);
    if (auto done = context.run({"tar", "-xf", *archive, "-C", source, "--strip-components=1"},
                                "rdma-core-source");
        !done)
        return done;
    if (auto done = collect(context, source, place.making / "include"); !done) return done;
    if (auto done = copy_library(tree, place.making / "lib"); !done) return done;
    fs::remove_all(source, error);
    apt->drop(what);
    return {};
}

}  // namespace

Result<fs::path> rdma_core_headers(const Context& context) {
    const auto tree = guest_tree(context, GuestSpec{});
    if (!tree) return std::unexpected(tree.error());
    CacheKey key("rdma-core-headers");
    key.add(format).add(tree->filename().string());
    return context.cache.entry(
        context.loop, context.progress, key, space_needed,
        [&](const Cache::Place& place) { return make_headers(context, *tree, place); });
}

}  // namespace vrnic::setup
