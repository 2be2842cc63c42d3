// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/kernel_symbols.h"

#include "vm/kallsyms.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr auto boot_limit = seconds(300);
constexpr auto read_limit = seconds(60);
constexpr std::uintmax_t space_needed = 64ull << 20;

// /proc/kallsyms of a guest that runs this kernel.
Result<std::string> ask_kernel(Session& session, const LabOptions& wanted) {
    LabOptions options;
    options.vms = 1;
    options.guest = wanted.guest;
    options.kernel = wanted.kernel;
    options.qemu = wanted.qemu;
    options.accel = wanted.accel;
    options.memory_mib = wanted.memory_mib;
    options.kernel_options = "nokaslr";
    auto folder = session.make_run_folder();
    if (!folder) return std::unexpected(folder.error());
    auto lab = session.boot(options, folder->path(), nullptr, boot_limit);
    if (!lab) return std::unexpected(lab.error());
    Vm& vm = (*lab)->vm(0);
    if (auto started = vm.start_step("cat /proc/kallsyms >/job/kallsyms"); !started)
        return std::unexpected(started.error());
    auto ended = (*lab)->wait([&] { return vm.idle(); }, Clock::now() + read_limit,
                              "the kernel's symbols were not read");
    if (!ended) return std::unexpected(ended.error());
    return setup::read_text(vm.spec().job_folder() / "kallsyms");
}

Result<void> make_symbols(Session& session, const LabOptions& options, const fs::path& folder) {
    session.progress().step(fmt::format("asking kernel {} for its symbols", options.kernel));
    const auto kallsyms = ask_kernel(session, options);
    if (!kallsyms) return std::unexpected(kallsyms.error());
    const auto functions = kernel_functions(*kallsyms);
    if (functions.empty())
        return fail(ExitStatus::setup, "kernel {} tells no symbols", options.kernel);
    const fs::path source = folder / "kernel.s", object = folder / "kernel.o";
    if (auto written = setup::write_text(source, symbols_assembly(functions)); !written)
        return written;
    const setup::Context context = session.context();
    if (auto done = context.run({"as", "-o", object, source}, "kernel-symbols"); !done) return done;
    auto done = context.run(
        {"ld", "-e", "0", fmt::format("--section-start=.kernel={:#x}", functions.front().address),
         "-o", folder / "kernel.elf", object},
        "kernel-symbols");
    std::error_code ignored;
    fs::remove(source, ignored);
    fs::remove(object, ignored);
    return done;
}

}  // namespace

Result<fs::path> kernel_symbols(Session& session, const LabOptions& options) {
    const auto files = session.prepare(options);
    if (!files) return std::unexpected(files.error());
    // The kernel's folder in the cache is named after all that went into it.
    setup::CacheKey key("symbols-" + options.kernel);
    key.add("symbols 2").add(files->kernel.parent_path().filename().string());
    const auto entry =
        session.cache().entry(session.loop(), session.progress(), key, space_needed,
                              [&](const setup::Cache::Place& place) {
                                  return make_symbols(session, options, place.making);
                              });
    if (!entry) return std::unexpected(entry.error());
    return *entry / "kernel.elf";
}

}  // namespace vrnic::runner
