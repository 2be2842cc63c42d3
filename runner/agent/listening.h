// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <compare>
#include <set>

namespace vrnic::agent {

enum class Transport { tcp, rdma_cm };

struct Listener {
    Transport transport;
    int port;
    auto operator<=>(const Listener&) const = default;
};

// What listens in this guest: TCP sockets, from /proc, and rdma_cm ids, from the kernel's RDMA
// netlink. Only read: a server is never connected to, since many tools accept one connection only.
[[nodiscard]] std::set<Listener> listeners();

// The part of rdma_cm (rdma_listening.cpp).
void add_rdma_listeners(std::set<Listener>& found);

}  // namespace vrnic::agent
