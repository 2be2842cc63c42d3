// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/calls.h"

#include <algorithm>
#include <array>

namespace vrnic {
namespace {

AdminResult<void> qp_timeout(Device& device, std::uint32_t qpn) {
    return device.transport.expire_timer(qpn);
}

AdminResult<void> cq_event(Device& device, std::uint32_t cqn) {
    return device.cqs.raise_event(cqn);
}

AdminResult<void> srq_limit(Device& device, std::uint32_t srqn) {
    if (!device.transport.describe_srq(srqn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_call_object, number));
    device.events.raise(VRNIC_EVENT_SRQ_LIMIT, srqn);
    return {};
}

struct Row {
    std::uint32_t type, operation;
    AdminResult<void> (*call)(Device&, std::uint32_t number);
};
constexpr auto kRows = std::to_array<Row>({
    {VRNIC_CONTEXT_QP, VRNIC_CALL_QP_TIMEOUT, qp_timeout},
    {VRNIC_CONTEXT_CQ, VRNIC_CALL_CQ_EVENT, cq_event},
    {VRNIC_CONTEXT_SRQ, VRNIC_CALL_SRQ_LIMIT, srq_limit},
});

}  // namespace

AdminResult<void> call_object(Device& device, const vrnic_cmd_call_object& cmd) {
    if (std::ranges::find(kRows, std::uint32_t{cmd.type}, &Row::type) == kRows.end())
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_call_object, type));
    for (const Row& row : kRows)
        if (row.type == cmd.type && row.operation == cmd.operation)
            return row.call(device, cmd.number);
    return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_call_object, operation));
}

}  // namespace vrnic
