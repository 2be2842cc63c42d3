// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"

namespace vrnic::runner {

// Two connected stream sockets without a name. All that joins the runner and its VMs is made of
// these: there is no path or port to collide or to be left behind, and no order of starting.
using SocketPair = std::pair<UniqueFd, UniqueFd>;

[[nodiscard]] Result<SocketPair> make_socket_pair();

// A TCP socket that listens on the loopback interface, on a port that the kernel chose: for what
// needs a number to type. The port is taken before anybody is told of it.
struct LocalListener {
    UniqueFd fd;
    std::uint16_t port = 0;
};
[[nodiscard]] Result<LocalListener> listen_locally();

}  // namespace vrnic::runner
