// SPDX-License-Identifier: GPL-2.0-or-later
// The sending of requests: from the send queue to packets, and back when they are lost
// (IBTA 9.7.3, 9.7.4.1, 9.7.5.2).
#pragma once

#include "rdma/context.h"
#include "rdma/memory_access.h"

namespace vrnic::requester {

// Sends one packet, or does one other piece of work.
Step step(TransportContext& context, QueuePair& qp);

// The acknowledgement timer came late, since the host kept this process from running: what the peer
// answered meanwhile has not been read yet. Waits once more, without counting a retry. False: the
// timer counts.
[[nodiscard]] bool excuse_late_timer(TransportContext& context, QueuePair& qp, Nanoseconds deadline,
                                     Nanoseconds now);
// The QP's timer has run out.
void on_timer(TransportContext& context, QueuePair& qp);

// Sends again from the oldest packet that is not acknowledged; counts as a retry. Without any left
// the oldest request fails with VRNIC_WC_RETRY_EXC_ERR and reason.
void retry(TransportContext& context, QueuePair& qp, Syndrome reason);

// The same, without being a retry.
void send_again(TransportContext& context, QueuePair& qp);

// The cursor to the oldest packet that is not acknowledged.
void go_back(QueuePair& qp);

// The oldest request fails; the QP goes to ERR, or when it is unreliable to SQE.
void fail_oldest(TransportContext& context, QueuePair& qp, std::uint8_t status, Syndrome syndrome);

// There is a request at the cursor: one that is in progress, or the next of the send queue, which
// is taken. An idle queue in SQD has drained.
bool has_request(TransportContext& context, QueuePair& qp);
// In SQD: nothing is left that was begun.
void note_drained(TransportContext& context, QueuePair& qp);
// The bytes from offset on of the request at the cursor.
AccessResult fill_payload(TransportContext& context, const QueuePair& qp,
                          const SendRequest& request, std::uint64_t offset,
                          std::span<std::byte> payload);
// The oldest request, all of which was sent, is done: UC and UD have no answers (IBTA 9.8.2.3).
void complete_unanswered(TransportContext& context, QueuePair& qp);

// Something was acknowledged: all retries are there again, the timer starts anew or stops.
void note_progress(TransportContext& context, QueuePair& qp);

// Local ACK timeout of the QP in ns, 0: none.
Nanoseconds ack_timeout(const QueuePair& qp);

}  // namespace vrnic::requester
