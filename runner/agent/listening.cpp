// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/listening.h"

#include <cstdio>
#include <sstream>

#include "agent/system.h"

namespace vrnic::agent {

std::set<Listener> listeners() {
    constexpr unsigned listen_state = 0x0a;  // TCP_LISTEN of the kernel's tcp_states.h
    std::set<Listener> found;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::istringstream lines(read_file(table));
        for (std::string line; std::getline(lines, line);) {
            // "  0: 00000000:4965 00000000:0000 0A ...": local address:port, remote, state
            unsigned port = 0;
            unsigned state = 0;
            if (std::sscanf(line.c_str(), " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &port,
                            &state) == 2 &&
                state == listen_state)
                found.insert({Transport::tcp, static_cast<int>(port)});
        }
    }
    add_rdma_listeners(found);
    return found;
}

}  // namespace vrnic::agent
