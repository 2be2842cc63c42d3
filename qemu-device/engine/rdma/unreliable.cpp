// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/unreliable.h"

#include "rdma/completion.h"
#include "rdma/message.h"

namespace vrnic::unreliable {

namespace {

// The rest of the message is ignored. A receive queue entry that it has taken serves the next one.
void drop_message(TransportContext& context, QueuePair& qp) {
    ++context.counters.roce_rx_dropped_messages;
    qp.responder.message = MessageKind::none;
}

// What the peer did wrong costs the message (IBTA 9.8.2.2.4); what is wrong on this side, the QP.
void refuse(TransportContext& context, QueuePair& qp, const execute::Refusal& refusal) {
    if (refusal.status == VRNIC_WC_SUCCESS && refusal.cause != execute::Cause::operational)
        return drop_message(context, qp);
    execute::report(context, qp, refusal);
    enter_error(context, qp);
}

}  // namespace

void receive(TransportContext& context, QueuePair& qp, const roce::Packet& packet) {
    Responder& responder = qp.responder;
    if (qp.state() == VRNIC_QPS_RTR && !responder.established) {
        responder.established = true;
        context.events.raise(VRNIC_EVENT_QP_COMM_EST, qp.qpn);
    }
    // IBTA 9.8.2.2.1: a gap ends a message that is in progress; the next first packet begins anew,
    // whatever its number.
    const bool gap = packet.psn != responder.expected;
    responder.expected = packet.psn + 1;
    if (gap) ++context.counters.roce_out_of_sequence;
    if (responder.message != MessageKind::none && (gap || packet.opcode->starts()))
        drop_message(context, qp);
    if (responder.message == MessageKind::none && !packet.opcode->starts()) return;

    if (!message::check(qp, packet)) return drop_message(context, qp);
    if (message::needs_receive_entry(packet)) {
        const auto entry = execute::take_receive(context, qp);
        if (!entry) return refuse(context, qp, entry.error());
        if (!*entry) {
            ++context.counters.roce_rx_no_receive;
            return drop_message(context, qp);
        }
    }
    if (const auto executed = message::execute(context, qp, packet); !executed)
        return refuse(context, qp, executed.error());
    if (packet.opcode->ends()) responder.message = MessageKind::none;
}

}  // namespace vrnic::unreliable
