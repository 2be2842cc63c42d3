// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <set>

namespace vrnic::agent {

// TCP ports that a socket of this guest listens on, read from /proc: a server is never connected
// to, since many tools accept one connection only.
[[nodiscard]] std::set<int> listening_ports();

}  // namespace vrnic::agent
