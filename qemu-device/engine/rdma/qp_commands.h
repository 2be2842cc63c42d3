// SPDX-License-Identifier: GPL-2.0-or-later
// Admin commands on queue pairs (IBTA 11.2.5).
#pragma once

#include "base/result.h"
#include "rdma/context.h"

namespace vrnic {

AdminResult<std::uint32_t> create_qp(TransportContext& context, const vrnic_cmd_create_qp& cmd);
AdminResult<void> modify_qp(TransportContext& context, const vrnic_cmd_modify_qp& cmd);
AdminResult<vrnic_resp_query_qp> query_qp(TransportContext& context, std::uint32_t qpn);
AdminResult<void> destroy_qp(TransportContext& context, std::uint32_t qpn);
AdminResult<void> attach_mcast(TransportContext& context, const vrnic_cmd_mcast& cmd);
AdminResult<void> detach_mcast(TransportContext& context, const vrnic_cmd_mcast& cmd);

}  // namespace vrnic
