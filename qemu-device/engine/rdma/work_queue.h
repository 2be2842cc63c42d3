// SPDX-License-Identifier: GPL-2.0-or-later
// Taking entries from the send and receive queues: read once, checked, only the copy is used.
#pragma once

#include <cstring>
#include <expected>
#include <span>

#include "rdma/context.h"
#include "vrnic_ring.h"

namespace vrnic {

// Read the producer index when the queue seems empty by what is known. The send queue's only after
// a doorbell, the receive queue's always (its doorbell is optional).
Available send_entry_available(TransportContext& context, QueuePair& qp);
Available receive_entry_available(TransportContext& context, QueuePair& qp);

// The oldest request that was not sent waits for answers of the peer. The guest is told, once, that
// the send queue is looked at without a doorbell until nothing is left in it.
std::expected<void, Syndrome> note_busy(TransportContext& context, QueuePair& qp);

// Takes the next entry of the send queue into the place at Requester::tail: a request without PSNs.
// What is wrong with the entry is in its error. There is one, and the ring has room.
std::expected<void, Syndrome> take_send_entry(TransportContext& context, QueuePair& qp);
// Has the processor fetch what that needs, but for the queue pair itself and the guest's memory.
void prefetch_send_entry(const QueuePair& qp);
// Takes the next entry of the receive queue, or of the shared one, into Responder::entry. There is
// one. False: it is malformed.
std::expected<bool, Syndrome> take_receive_entry(TransportContext& context, QueuePair& qp);

// Where its receives come from, when that is shared: XRC: the one that the newest request named.
// nullptr: there is none of this number, or it is of another XRC domain.
SharedReceiveQueue* shared_queue(TransportContext& context, const QueuePair& qp);

// Scatter/gather list, or inline data, of the request at a place of the requester's ring.
std::span<const vrnic_sge> send_list(const QueuePair& qp, std::uint32_t place);
std::span<const std::byte> send_inline_data(const QueuePair& qp, std::uint32_t place);
// Its second segment: vrnic_sqe_atomic, vrnic_sqe_bind or vrnic_sqe_flush, as the operation has it.
std::span<const std::byte> send_segment(const QueuePair& qp, std::uint32_t place);
template <typename Segment>
Segment send_segment(const QueuePair& qp, std::uint32_t place) {
    Segment segment;
    std::memcpy(&segment, send_segment(qp, place).data(), sizeof(segment));
    return segment;
}

}  // namespace vrnic
