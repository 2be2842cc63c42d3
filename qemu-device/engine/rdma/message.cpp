// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/message.h"

#include "rdma/completion.h"

namespace vrnic::message {

namespace {

using execute::Cause;
using execute::Refusal;
using execute::Result;
using roce::Operation;
using roce::Packet;

Result invalid(Syndrome syndrome) {
    return std::unexpected(Refusal{Cause::invalid_request, syndrome});
}

// IBTA 9.7.4.1.3: first, middle and last in their order.
Result check_sequence(const QueuePair& qp, const Packet& packet) {
    const MessageKind message = qp.responder.message;
    if (packet.opcode->starts())
        return message == MessageKind::none ? Result{} : invalid(VRNIC_SYND_BAD_OPCODE);
    const MessageKind continued =
        packet.opcode->operation == Operation::send ? MessageKind::send : MessageKind::write;
    return message == continued ? Result{} : invalid(VRNIC_SYND_BAD_OPCODE);
}

Result check_length(const QueuePair& qp, const Packet& packet) {
    return packet.opcode->allows(static_cast<std::uint32_t>(packet.payload.size()), qp.mtu)
               ? Result{}
               : invalid(VRNIC_SYND_TOO_LONG);
}

Arrival arrival_of(const QueuePair& qp, const Packet& packet) {
    Arrival arrival;
    arrival.has_immediate = packet.opcode->has(roce::kImmDt);
    if (packet.opcode->has(roce::kIeth)) arrival.invalidated = packet.invalidate_key;
    arrival.opcode = packet.opcode->operation == Operation::write ? VRNIC_OP_RECV_WRITE_IMM
                     : arrival.invalidated                        ? VRNIC_OP_RECV_INV
                     : arrival.has_immediate                      ? VRNIC_OP_RECV_IMM
                                                                  : VRNIC_OP_RECV;
    arrival.solicited = packet.solicited;
    arrival.immediate = packet.immediate;
    arrival.length = qp.responder.received;
    return arrival;
}

Result execute_send(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    if (packet.opcode->starts()) {
        responder.message = MessageKind::send;
        responder.received = 0;
    }
    if (auto placed = execute::place_send(context, qp, packet.payload); !placed) return placed;
    if (!packet.opcode->ends()) return {};
    if (packet.opcode->has(roce::kIeth))
        if (auto done = execute::invalidate(context, qp, packet.invalidate_key); !done) return done;
    ++context.counters.roce_send_requests;
    return execute::finish_receive(context, qp, arrival_of(qp, packet));
}

Result execute_write(TransportContext& context, QueuePair& qp, const Packet& packet) {
    Responder& responder = qp.responder;
    if (packet.opcode->starts()) {
        if (auto begun =
                execute::begin_write(context, qp, packet.rkey, packet.address, packet.length);
            !begun)
            return begun;
        responder.message = MessageKind::write;
        responder.received = 0;
        responder.address = packet.address;
        responder.length = packet.length;
        responder.rkey = packet.rkey;
    }
    if (auto placed = execute::place_write(context, qp, packet.payload); !placed) return placed;
    if (!packet.opcode->ends()) return {};
    if (responder.received != responder.length) return invalid(VRNIC_SYND_TOO_LONG);
    ++context.counters.roce_write_requests;
    if (!packet.opcode->has(roce::kImmDt)) return {};
    return execute::finish_receive(context, qp, arrival_of(qp, packet));
}

}  // namespace

Result check(const QueuePair& qp, const Packet& packet) {
    if (auto in_order = check_sequence(qp, packet); !in_order) return in_order;
    return check_length(qp, packet);
}

bool needs_receive_entry(const Packet& packet) {
    if (packet.opcode->operation == Operation::send) return packet.opcode->starts();
    return packet.opcode->operation == Operation::write && packet.opcode->has(roce::kImmDt);
}

Result execute(TransportContext& context, QueuePair& qp, const Packet& packet) {
    return packet.opcode->operation == Operation::send ? execute_send(context, qp, packet)
                                                       : execute_write(context, qp, packet);
}

}  // namespace vrnic::message
