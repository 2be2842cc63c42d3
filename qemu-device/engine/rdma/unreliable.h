// SPDX-License-Identifier: GPL-2.0-or-later
// The responder of UC queue pairs (IBTA 9.8.2): whole messages or none, no answers.
#pragma once

#include "rdma/context.h"
#include "roce/parse.h"

namespace vrnic::unreliable {

// A packet for a QP that receives; its source was checked.
void receive(TransportContext& context, QueuePair& qp, const roce::Packet& packet);

}  // namespace vrnic::unreliable
