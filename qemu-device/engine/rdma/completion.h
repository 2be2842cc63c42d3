// SPDX-License-Identifier: GPL-2.0-or-later
// How work requests end: completions, the way into the error state, flushing
// (IBTA 10.7.3, 10.3.1.7).
#pragma once

#include <optional>

#include "rdma/context.h"

namespace vrnic {

// Posts the completion of a send request when it is wanted, always when it is an error. When the CQ
// does not take it, the QP goes to the error state.
void complete_send(TransportContext& context, QueuePair& qp, const SendRequest& request,
                   std::uint8_t status, Syndrome syndrome);

// What a receive queue entry was used for.
struct Arrival {
    std::uint8_t opcode = VRNIC_OP_RECV;  // VRNIC_OP_RECV*
    bool solicited = false;
    bool has_immediate = false;
    std::array<std::uint8_t, 4> immediate{};
    std::optional<std::uint32_t> invalidated{};  // key
    std::uint32_t length = 0;
};
// Gives the entry that was taken back with its completion. False: the CQ has failed.
[[nodiscard]] bool complete_receive(TransportContext& context, QueuePair& qp,
                                    const Arrival& arrival, std::uint8_t status, Syndrome syndrome);

// To ERR, from any state. Everything outstanding is dropped or, by flush_step(), flushed.
void enter_error(TransportContext& context, QueuePair& qp);
// With an asynchronous event that says why, and a line in the log.
void enter_error(TransportContext& context, QueuePair& qp, std::uint32_t event, Syndrome reason);

// In ERR: completes one request that is left. False: none is.
bool flush_step(TransportContext& context, QueuePair& qp);

const char* syndrome_name(Syndrome syndrome);

}  // namespace vrnic
