// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/line_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace vrnic::device_test {
namespace {

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void wait_readable(int fd, const char* what) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(kPatience);
    const int ready = ::poll(&entry, 1, static_cast<int>(limit.count()));
    if (ready < 0) throw_errno("poll");
    if (ready == 0) throw std::runtime_error(fmt::format("{}: no answer from QEMU", what));
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

int Fd::release() {
    return std::exchange(fd_, -1);
}

LineSocket::LineSocket(const std::filesystem::path& path)
    : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.string();
    if (name.size() >= sizeof(address.sun_path)) throw std::runtime_error("socket path too long");
    std::memcpy(address.sun_path, name.c_str(), name.size());
    if (listener_.get() < 0 ||
        ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0 ||
        ::listen(listener_.get(), 1) < 0)
        throw_errno("listen");
}

void LineSocket::accept() {
    wait_readable(listener_.get(), "connect");
    connection_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection_.get() < 0) throw_errno("accept");
}

void LineSocket::send(std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(connection_.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0) throw_errno("QEMU is gone");
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string LineSocket::line() {
    for (;;) {
        if (const auto end = pending_.find('\n'); end != std::string::npos) {
            std::string result = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            if (!result.empty() && result.back() == '\r') result.pop_back();
            return result;
        }
        wait_readable(connection_.get(), "read");
        char buffer[4096];
        const ssize_t got = ::recv(connection_.get(), buffer, sizeof(buffer), 0);
        if (got < 0) throw_errno("recv");
        if (got == 0) throw std::runtime_error("QEMU ended");
        pending_.append(buffer, static_cast<std::size_t>(got));
    }
}

}  // namespace vrnic::device_test
