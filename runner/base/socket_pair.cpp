// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/socket_pair.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace vrnic::runner {

Result<SocketPair> make_socket_pair() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return fail(ExitStatus::setup, "cannot make a socket pair: {}", std::strerror(errno));
    return SocketPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<LocalListener> listen_locally() {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (!fd.valid() || ::bind(fd.get(), generic, size) != 0 || ::listen(fd.get(), 1) != 0 ||
        ::getsockname(fd.get(), generic, &size) != 0)
        return fail(ExitStatus::setup, "cannot listen on the loopback interface: {}",
                    std::strerror(errno));
    return LocalListener{std::move(fd), ntohs(address.sin_port)};
}

}  // namespace vrnic::runner
