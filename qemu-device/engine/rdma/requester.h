// SPDX-License-Identifier: GPL-2.0-or-later
// The sending of requests: from the send queue to packets, and back when they are lost
// (IBTA 9.7.3, 9.7.4.1, 9.7.5.2).
#pragma once

#include "rdma/context.h"

namespace vrnic::requester {

// Sends one packet, or does one other piece of work.
Step step(TransportContext& context, QueuePair& qp);

// The QP's timer has run out.
// The acknowledgement timer came late, since the host kept this process from running: what the peer
// answered meanwhile has not been read yet. Waits once more, without counting a retry. False: the
// timer counts.
[[nodiscard]] bool excuse_late_timer(TransportContext& context, QueuePair& qp, Nanoseconds deadline,
                                     Nanoseconds now);
void on_timer(TransportContext& context, QueuePair& qp);

// Sends again from the oldest packet that is not acknowledged; counts as a retry. Without any left
// the oldest request fails with VRNIC_WC_RETRY_EXC_ERR and reason.
void retry(TransportContext& context, QueuePair& qp, Syndrome reason);

// The cursor to the oldest packet that is not acknowledged.
void go_back(QueuePair& qp);

// The oldest request fails; the QP goes to ERR.
void fail_oldest(TransportContext& context, QueuePair& qp, std::uint8_t status, Syndrome syndrome);

// Something was acknowledged: all retries are there again, the timer starts anew or stops.
void note_progress(TransportContext& context, QueuePair& qp);

// Local ACK timeout of the QP in ns, 0: none.
Nanoseconds ack_timeout(const QueuePair& qp);

}  // namespace vrnic::requester
