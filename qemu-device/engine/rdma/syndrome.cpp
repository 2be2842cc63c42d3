// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/syndrome.h"

#include <iterator>

namespace vrnic {

const char* syndrome_name(Syndrome syndrome) {
    constexpr const char* kNames[] = {
        "no reason",
        "no such memory region",
        "the memory region belongs to another protection domain",
        "outside the memory region",
        "the memory region does not permit it",
        "guest memory could not be reached",
        "malformed queue entry",
        "bad opcode",
        "too long",
        "the peer refused it as invalid",
        "the peer refused access",
        "the peer failed to carry it out",
        "the peer missed packets",
        "no answer, all retries used up",
        "the peer had no receive entry, all retries used up",
        "wrong response",
        "flushed",
        "producer index ahead of the ring",
        "an atomic at an address that is no multiple of eight",
        "the memory window is bound to another queue pair",
        "the memory window or region is bound already, or its type does not allow it",
        "the shared receive queue has failed",
        "no such shared receive queue in the XRC domain",
        "bad address vector",
        "asked for by a fault rule",
        "the queue pair may not register memory",
    };
    return syndrome < std::size(kNames) ? kNames[syndrome] : "?";
}

}  // namespace vrnic
