// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/socket_pair.h"

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

}  // namespace vrnic::runner
