// SPDX-License-Identifier: GPL-2.0-or-later
// A QEMU that ends with its object.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vrnic::device_test {

// What to test, from the environment: VRNIC_QEMU, the command that starts QEMU (words by spaces),
// and VRNIC_PLUGIN, the path of vrnic.so; by default the machine's QEMU and what this build made.
std::vector<std::string> qemu_command();
std::filesystem::path plugin_path();

// A folder that goes with its object.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

class QemuProcess {
  public:
    // arguments follow qemu_command(); stdout and stderr go to the log file.
    QemuProcess(const std::vector<std::string>& arguments, std::filesystem::path log,
                const std::vector<std::pair<std::string, std::string>>& environment = {});
    ~QemuProcess();
    QemuProcess(const QemuProcess&) = delete;
    QemuProcess& operator=(const QemuProcess&) = delete;

    // Waits for its end: the exit status, or 128 + signal. Throws when the time is over.
    int wait();
    bool running();
    std::string log() const;
    std::size_t resident_kib() const;

  private:
    void reap(int options);

    pid_t pid_ = -1;
    std::optional<int> status_;
    std::filesystem::path log_;
};

// Starts QEMU with these arguments, expects it to end by itself. {status, what it printed}
std::pair<int, std::string> run_qemu(
    const std::vector<std::string>& arguments,
    const std::vector<std::pair<std::string, std::string>>& environment = {});

}  // namespace vrnic::device_test
