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

// Of a datagram: what its completion says beside the data (IBTA 11.4.2.1).
struct DatagramSource {
    std::uint32_t qpn = 0;
    roce::MacAddress mac{};
    std::uint16_t vlan = 0;  // 0: untagged
    std::uint8_t service_level = 0;
    bool ipv4 = false;
};

// What a receive queue entry was used for.
struct Arrival {
    std::uint8_t opcode = VRNIC_OP_RECV;  // VRNIC_OP_RECV*
    bool solicited = false;
    bool has_immediate = false;
    std::array<std::uint8_t, 4> immediate{};
    std::optional<std::uint32_t> invalidated{};  // key
    std::optional<DatagramSource> source{};
    std::uint32_t length = 0;
};
// Gives the entry that was taken back with its completion. False: the CQ has failed.
[[nodiscard]] bool complete_receive(TransportContext& context, QueuePair& qp,
                                    const Arrival& arrival, std::uint8_t status, Syndrome syndrome);

// To ERR, from any state. Everything outstanding is dropped or, by flush_step(), flushed.
void enter_error(TransportContext& context, QueuePair& qp);
// With an asynchronous event that says why, and a line in the log.
void enter_error(TransportContext& context, QueuePair& qp, std::uint32_t event, Syndrome reason);

// An XRC shared receive queue is gone: an entry of it that is in use goes without a completion, and
// the QP that has it to ERR.
void forget_xrc_queue(TransportContext& context, QueuePair& qp, std::uint32_t srqn);

// From RTS or SQD to SQE: the send queue stops, the receive queue goes on (IBTA 10.3.1.6).
void enter_send_error(TransportContext& context, QueuePair& qp);

// In ERR, or of the send queue in SQE: completes one request that is left. False: none is.
bool flush_step(TransportContext& context, QueuePair& qp);
bool flush_send_step(TransportContext& context, QueuePair& qp);

}  // namespace vrnic
