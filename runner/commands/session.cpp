// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/session.h"

#include "commands/kernel_symbols.h"
#include "commands/printer.h"
#include "setup/build.h"
#include "setup/guest.h"
#include "setup/qemu.h"
#include "vm/accelerator.h"

namespace vrnic::runner {
namespace {

constexpr auto patience_of_debuggers = std::chrono::hours(24);

// A VM that is named and is none of the run's is a slip of the pen.
Result<void> check_names(const LabOptions& options) {
    std::vector<std::string> names = options.rxe;
    if (!options.gdb.empty()) names.push_back(options.gdb);
    for (const auto& fault : options.faults)
        if (const auto colon = fault.find(':'); colon != std::string::npos)
            names.push_back(fault.substr(0, colon));
    for (const auto& name : names) {
        bool known = false;
        for (int vm = 1; vm <= options.vms; ++vm) known |= name == fmt::format("vm{}", vm);
        if (!known)
            return fail(ExitStatus::usage, "there is no {} in this run, which has {} VM{}", name,
                        options.vms, options.vms == 1 ? "" : "s");
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open() {
    setup::add_sbin_to_path();
    auto cache = setup::Cache::open();
    if (!cache) return std::unexpected(cache.error());
    return std::unique_ptr<Session>(
        new Session(std::move(*cache), {.source = VRNIC_SOURCE_ROOT, .build = VRNIC_BUILD_ROOT}));
}

Result<VmFiles> Session::prepare(const LabOptions& options) {
    const std::string kind = fmt::format("{} {} {} {}", options.qemu, options.guest, options.kernel,
                                         fmt::join(options.packages, " "));
    if (const auto known = prepared_.find(kind); known != prepared_.end()) return known->second;
    const auto qemu = setup::qemu_flavor(context(), options.qemu);
    if (!qemu) return std::unexpected(qemu.error());
    const auto image = setup::guest_image(
        context(), {.guest = options.guest, .kernel = options.kernel, .with = options.packages});
    if (!image) return std::unexpected(image.error());
    const auto parts = setup::build_guest_parts(context(), *image);
    if (!parts) return std::unexpected(parts.error());
    const auto device = setup::build_device(context(), {*qemu});
    if (!device) return std::unexpected(device.error());
    progress_.done();
    VmFiles files{.qemu = qemu->command,
                  .device = *device,
                  .kernel = image->boot,
                  .initrd = image->initrd,
                  .rootfs = image->rootfs,
                  .parts = *parts,
                  .least_memory_mib = image->least_memory_mib,
                  .slowness = image->slowness};
    prepared_[kind] = files;
    return files;
}

Result<RunFolder> Session::make_run_folder() {
    return RunFolder::make(cache_.root() / "runs");
}

Result<std::unique_ptr<Lab>> Session::boot(const LabOptions& options,
                                           const std::filesystem::path& folder, Lab::OnLine on_line,
                                           std::chrono::seconds boot_limit) {
    if (auto good = check_names(options); !good) return std::unexpected(good.error());
    auto files = prepare(options);
    if (!files) return std::unexpected(files.error());
    std::filesystem::path symbols;
    if (!options.gdb.empty()) {
        auto made = kernel_symbols(*this, options);
        if (!made) return std::unexpected(made.error());
        symbols = *made;
        boot_limit = patience_of_debuggers;
    }
    auto accel = choose_accelerator(loop_, options.accel, *files, cache_.root() / "accelerator");
    if (!accel) return std::unexpected(accel.error());
    auto lab = Lab::start(loop_, make_specs(options, *files, *accel, folder), std::move(on_line));
    if (!lab) return lab;
    for (std::size_t i = 0; i < (*lab)->size(); ++i) {
        const Vm& vm = (*lab)->vm(i);
        // A hardware breakpoint: the kernel's code is not there before its first instruction.
        if (vm.gdb_port() != 0)
            print_remark(
                fmt::format("{} waits for a debugger; type in another terminal:\n"
                            "gdb -ex 'target remote localhost:{}' "
                            "-ex 'hbreak *start_kernel' -ex continue {}",
                            vm.name(), vm.gdb_port(), symbols.string()));
    }
    if (auto ready = (*lab)->wait_ready(Clock::now() + (*lab)->patience(boot_limit)); !ready)
        return std::unexpected(ready.error());
    return lab;
}

}  // namespace vrnic::runner
