// SPDX-License-Identifier: GPL-2.0-or-later
// The answers to requests: acknowledgements, NAKs, READ responses (IBTA 9.7.5.2, 9.7.3.2).
#pragma once

#include "rdma/context.h"
#include "roce/parse.h"

namespace vrnic::completer {

// A packet that answers, for a QP that sends; its source was checked.
void receive(TransportContext& context, QueuePair& qp, const roce::Packet& packet);

// How long an RNR NAK with this timer value asks to wait (IBTA table 46).
Nanoseconds rnr_delay(std::uint8_t timer);

}  // namespace vrnic::completer
