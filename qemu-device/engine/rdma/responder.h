// SPDX-License-Identifier: GPL-2.0-or-later
// The packets of a peer's requests, checked in the order of IBTA 9.7.4 (figure 85), and what is
// sent back.
#pragma once

#include "rdma/context.h"
#include "roce/parse.h"

namespace vrnic::responder {

// A packet of a request, for a QP that receives; its source was checked. Sends nothing: what there
// is to answer is noted and goes out by step().
void receive(TransportContext& context, QueuePair& qp, const roce::Packet& packet);

// Sends one READ response or acknowledgement.
Step step(TransportContext& context, QueuePair& qp);

// The queue pair ends: an acknowledgement, and short answers, that wait for others to join them go
// out. The peer could not know otherwise that all of its requests were carried out, and would fail.
// So many packets at most as there may be answers.
void send_last_answers(TransportContext& context, QueuePair& qp);

}  // namespace vrnic::responder
