// SPDX-License-Identifier: GPL-2.0-or-later
// Queue pairs and shared receive queues as they are, for who looks inside (uapi/vrnic_contexts.h).
#pragma once

#include "rdma/context.h"
#include "vrnic_contexts.h"

namespace vrnic {

vrnic_qp_context describe(const TransportContext& context, const QueuePair& qp);
vrnic_srq_context describe(const SharedReceiveQueue& srq);

}  // namespace vrnic
