// SPDX-License-Identifier: GPL-2.0-or-later
// SENDs and WRITEs as they come in packets, in order: what is the same with and without
// acknowledgements.
#pragma once

#include "rdma/execute.h"
#include "roce/parse.h"

namespace vrnic::message {

// The packet continues the message that is in progress, or starts one when none is
// (IBTA 9.7.4.1.3), and has as much payload as its opcode wants.
execute::Result check(const QueuePair& qp, const roce::Packet& packet);

// It takes a receive queue entry, or starts a message that does.
bool needs_receive_entry(const roce::Packet& packet);

// Of a SEND or WRITE, checked and with its entry taken: places the data; the last packet completes.
execute::Result execute(TransportContext& context, QueuePair& qp, const roce::Packet& packet);

}  // namespace vrnic::message
