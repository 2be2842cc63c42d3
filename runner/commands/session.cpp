// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/session.h"

#include "setup/build.h"
#include "setup/guest.h"
#include "setup/qemu.h"
#include "vm/accelerator.h"

namespace vrnic::runner {
namespace {

bool is_vm_name(const std::string& name, int vms) {
    for (int number = 1; number <= vms; ++number) {
        if (name == fmt::format("vm{}", number)) return true;
    }
    return false;
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
    for (const auto& name : options.rxe) {
        if (!is_vm_name(name, options.vms))
            return fail(ExitStatus::usage, "--rxe {}: there is no such VM; there are {}", name,
                        options.vms == 1 ? "vm1" : fmt::format("vm1 to vm{}", options.vms));
    }
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
                  .kernel = image->vmlinux,
                  .initrd = image->initrd,
                  .rootfs = image->rootfs,
                  .parts = *parts};
    prepared_[kind] = files;
    return files;
}

Result<RunFolder> Session::make_run_folder() {
    return RunFolder::make(cache_.root() / "runs");
}

Result<std::unique_ptr<Lab>> Session::boot(const LabOptions& options,
                                           const std::filesystem::path& folder, Lab::OnLine on_line,
                                           std::chrono::seconds boot_limit) {
    auto files = prepare(options);
    if (!files) return std::unexpected(files.error());
    auto accel = choose_accelerator(loop_, options.accel, *files, cache_.root() / "accelerator");
    if (!accel) return std::unexpected(accel.error());
    auto lab = Lab::start(loop_, make_specs(options, *files, *accel, folder), std::move(on_line));
    if (!lab) return lab;
    if (auto ready = (*lab)->wait_ready(Clock::now() + boot_limit); !ready)
        return std::unexpected(ready.error());
    return lab;
}

}  // namespace vrnic::runner
