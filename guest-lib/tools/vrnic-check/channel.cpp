// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "channel.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

namespace vrnic::check {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<Addresses> resolve(const char* host, const std::string& port, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    if (int err = getaddrinfo(host, port.c_str(), &hints, &list))
        return verbs_error(fmt::format("cannot resolve {} port {}: {}", host ? host : "*", port,
                                       gai_strerror(err)));
    return Addresses(list, &freeaddrinfo);
}

void prepare(int fd, int timeout_seconds) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const timeval timeout{timeout_seconds, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
}

// A listening socket for the address, or -1 and errno.
int listen_on(const addrinfo& address) {
    const int fd =
        socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol);
    if (fd < 0) return -1;
    const int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address.ai_family == AF_INET6)  // IPv4 peers too
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, 1) == 0) return fd;
    const int err = errno;
    close(fd);
    errno = err;
    return -1;
}

}  // namespace

Channel::Channel(Channel&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}

Channel::~Channel() {
    if (fd_ >= 0) close(fd_);
}

Result<Channel> Channel::accept(const std::string& port, int timeout_seconds) {
    auto addresses = resolve(nullptr, port, AI_PASSIVE);
    if (!addresses) return std::unexpected(addresses.error());
    int listener = -1;
    for (int family : {AF_INET6, AF_INET})  // IPv6 takes both, where there is IPv6
        for (const addrinfo* a = addresses->get(); a && listener < 0; a = a->ai_next)
            if (a->ai_family == family) listener = listen_on(*a);
    if (listener < 0)
        return verbs_error(fmt::format("cannot listen on port {}: {}", port, std::strerror(errno)));
    int fd;
    do fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    const int err = errno;
    close(listener);
    if (fd < 0) return verbs_error(fmt::format("cannot accept a peer: {}", std::strerror(err)));
    prepare(fd, timeout_seconds);
    return Channel(fd);
}

Result<Channel> Channel::connect(const std::string& host, const std::string& port,
                                 int patience_seconds, int timeout_seconds) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::seconds(patience_seconds);
    for (;;) {
        auto addresses = resolve(host.c_str(), port, 0);
        if (!addresses && Clock::now() >= deadline) return std::unexpected(addresses.error());
        int err = EHOSTUNREACH;
        for (const addrinfo* a = addresses ? addresses->get() : nullptr; a; a = a->ai_next) {
            const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
            if (fd < 0) continue;
            if (::connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
                prepare(fd, timeout_seconds);
                return Channel(fd);
            }
            err = errno;
            close(fd);
        }
        if (Clock::now() >= deadline)
            return verbs_error(
                fmt::format("cannot reach {} port {}: {}", host, port, std::strerror(err)));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

Result<void> Channel::send(const nlohmann::json& value) {
    std::string line = value.dump() + '\n';
    for (size_t sent = 0; sent < line.size();) {
        const ssize_t n = ::send(fd_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return verbs_error(fmt::format("the peer is gone: {}", std::strerror(errno)));
        sent += static_cast<size_t>(n);
    }
    return {};
}

Result<nlohmann::json> Channel::receive() {
    size_t end;
    while ((end = received_.find('\n')) == std::string::npos) {
        std::array<char, 4096> chunk;
        const ssize_t n = recv(fd_, chunk.data(), chunk.size(), 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return verbs_error("the peer does not answer over TCP");
        if (n <= 0) return verbs_error("the peer closed the TCP connection");
        received_.append(chunk.data(), static_cast<size_t>(n));
    }
    auto value = nlohmann::json::parse(received_.substr(0, end), nullptr, false);
    received_.erase(0, end + 1);
    if (value.is_discarded()) return verbs_error("the peer does not speak our language");
    return value;
}

Result<nlohmann::json> Channel::exchange(const nlohmann::json& ours) {
    if (auto sent = send(ours); !sent) return std::unexpected(sent.error());
    return receive();
}

Result<void> Channel::barrier(const std::string& place) {
    auto theirs = exchange({{"at", place}});
    if (!theirs) return std::unexpected(theirs.error());
    if (theirs->contains("failed"))
        return std::unexpected(Failure{static_cast<ExitStatus>(theirs->value("status", 2)),
                                       "the peer reports: " + theirs->value("failed", "")});
    if (theirs->value("at", "") != place)
        return verbs_error(
            fmt::format("the peer is at \"{}\", not at \"{}\"", theirs->value("at", "?"), place));
    return {};
}

}  // namespace vrnic::check
