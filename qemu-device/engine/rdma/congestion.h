// SPDX-License-Identifier: GPL-2.0-or-later
// Congestion notifications (annex A17.9): whoever gets a packet that a switch has marked tells the
// sender, who should be slower then. This device tells, and counts what it is told: its window is
// small, and a lossy link slows it down by itself.
#pragma once

#include "rdma/context.h"
#include "roce/parse.h"

namespace vrnic::congestion {

// A request came with the ECN bits of congestion: one notification goes out, not more than one in
// kNotificationInterval for each queue pair.
void notify(TransportContext& context, QueuePair& qp, const roce::Packet& packet);

// A notification came.
void receive(TransportContext& context, const QueuePair& qp, const roce::Packet& packet);

inline constexpr Nanoseconds kNotificationInterval = 50'000;

}  // namespace vrnic::congestion
