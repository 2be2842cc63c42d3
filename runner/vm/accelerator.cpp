// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/accelerator.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "base/child_process.h"

namespace vrnic::runner {
namespace {

std::string read_all(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// What the answer depends on.
std::string circumstances(const VmFiles& files) {
    utsname host{};
    ::uname(&host);
    std::string boot = read_all("/proc/sys/kernel/random/boot_id");
    return fmt::format("{} {} {}", host.release, boot.substr(0, boot.find('\n')),
                       fmt::join(files.qemu, " "));
}

// Does a kernel come to life under KVM? It prints its version and then panics for want of a root
// file system, which is good enough.
Result<bool> try_kvm(EventLoop& loop, const VmFiles& files, const std::filesystem::path& folder) {
    const UniqueFd device(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!device.valid()) return false;

    const auto console = folder / fmt::format("kvm-try-{}.log", ::getpid());
    ChildCommand command;
    command.argv = files.qemu;
    command.argv.insert(
        command.argv.end(),
        {"-machine", "q35,accel=kvm", "-cpu", "host", "-m", "256M", "-nodefaults",
         "-no-user-config", "-display", "none", "-no-reboot", "-kernel", files.kernel.string(),
         "-append", "console=ttyS0 panic=-1", "-serial", "file:" + console.string()});
    command.output_file = "/dev/null";
    auto process = ChildProcess::start(std::move(command));
    if (!process) return std::unexpected(process.error());
    bool lives = false;
    const auto woken = loop.wait(
        [&] {
            lives = read_all(console).find("Linux version") != std::string::npos;
            return lives || (*process)->end().has_value();
        },
        // Only the console says; it is looked at whenever the loop turns, at the latest here.
        Clock::now() + std::chrono::seconds(6));
    process->reset();
    lives = lives || read_all(console).find("Linux version") != std::string::npos;
    std::filesystem::remove(console);
    if (woken == EventLoop::Woken::interrupted) return fail(ExitStatus::interrupted, "interrupted");
    return lives;
}

}  // namespace

Result<std::string> choose_accelerator(EventLoop& loop, const std::string& asked,
                                       const VmFiles& files, const std::filesystem::path& memory) {
    if (asked != "auto") return asked;
    const std::string now = circumstances(files);
    const std::string remembered = read_all(memory);
    for (const char* accel : {"kvm", "tcg"}) {
        if (remembered == fmt::format("{} {}\n", accel, now)) return accel;
    }
    auto kvm = try_kvm(loop, files, memory.parent_path());
    if (!kvm) return std::unexpected(kvm.error());
    const std::string accel = *kvm ? "kvm" : "tcg";
    // A rename, since two runs may find out at once.
    const std::filesystem::path written = memory.string() + fmt::format(".{}", ::getpid());
    std::ofstream(written) << accel << " " << now << "\n";
    std::error_code error;
    std::filesystem::rename(written, memory, error);
    return accel;
}

}  // namespace vrnic::runner
