// SPDX-License-Identifier: GPL-2.0-or-later
// A unix socket that QEMU connects to, read line by line, each read with a time limit.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace vrnic::device_test {

// A loaded machine is slow, a QEMU that hangs is slower.
inline constexpr std::chrono::seconds kPatience{30};

// A file descriptor that closes itself.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();

    int get() const { return fd_; }
    int release();

  private:
    int fd_ = -1;
};

class LineSocket {
  public:
    // Listens at the path; QEMU is started after that and connects.
    explicit LineSocket(const std::filesystem::path& path);

    // Waits for QEMU. Throws when it does not come.
    void accept();
    void send(std::string_view text);
    // Without the line's end. Throws when the time is over or QEMU went.
    std::string line();

  private:
    Fd listener_;
    Fd connection_;
    std::string pending_;
};

}  // namespace vrnic::device_test
