// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/qp_commands.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "rdma/completion.h"
#include "rdma/qp_states.h"
#include "rdma/requester.h"
#include "rdma/responder.h"
#include "rdma/send_operation.h"

namespace vrnic {

namespace {

// Requests of one QP that are in progress at once: their copies are what a QP costs most.
constexpr std::uint32_t kMaxInFlight = 128;
constexpr std::uint32_t kMaxInFlightBytes = 32 * 1024;

#define CREATE_FIELD(field) VRNIC_FIELD(vrnic_cmd_create_qp, field)
#define ATTR_FIELD(field)                     \
    (VRNIC_FIELD(vrnic_cmd_modify_qp, attr) + \
     static_cast<std::uint32_t>(offsetof(vrnic_qp_attr, field)))

std::unexpected<AdminError> invalid(std::uint32_t field) {
    return admin_error(VRNIC_STATUS_INVALID, field);
}

// Everything that RESET forgets.
void reset_qp(TransportContext& context, QueuePair& qp) {
    responder::send_last_answers(context, qp);
    context.stop_timer(qp);
    qp.timer_due = false;
    qp.attr = {};
    qp.sq.restart();
    qp.rq.restart();
    qp.datagram_address = {};
    Requester fresh;
    fresh.ring = std::move(qp.requester.ring);
    fresh.entries = std::move(qp.requester.entries);
    qp.requester = std::move(fresh);
    qp.responder = {};
}

// ---- modify

AdminResult<void> check_attributes(const TransportContext& context, const vrnic_qp_attr& attr,
                                   std::uint32_t mask) {
    const TransportConfig& config = context.config;
    const auto given = [mask](std::uint32_t attribute) { return (mask & attribute) != 0; };
    if (given(VRNIC_QP_ACCESS_FLAGS) && (attr.access_flags & ~VRNIC_ACCESS_ALL) != 0)
        return invalid(ATTR_FIELD(access_flags));
    if (given(VRNIC_QP_PKEY_INDEX) && attr.pkey_index != 0) return invalid(ATTR_FIELD(pkey_index));
    if (given(VRNIC_QP_PORT) && attr.port != 1) return invalid(ATTR_FIELD(port));
    if (given(VRNIC_QP_PATH_MTU) &&
        (attr.path_mtu < 1 || attr.path_mtu > 5 || 128u << attr.path_mtu > config.max_path_mtu))
        return invalid(ATTR_FIELD(path_mtu));
    if (given(VRNIC_QP_TIMEOUT) && attr.timeout > 31) return invalid(ATTR_FIELD(timeout));
    if (given(VRNIC_QP_RETRY_CNT) && attr.retry_cnt > 7) return invalid(ATTR_FIELD(retry_cnt));
    if (given(VRNIC_QP_RNR_RETRY) && attr.rnr_retry > 7) return invalid(ATTR_FIELD(rnr_retry));
    if (given(VRNIC_QP_MIN_RNR_TIMER) && attr.min_rnr_timer > 31)
        return invalid(ATTR_FIELD(min_rnr_timer));
    if (given(VRNIC_QP_MAX_QP_RD_ATOMIC) && attr.max_rd_atomic > config.max_rd_atomic)
        return invalid(ATTR_FIELD(max_rd_atomic));
    if (given(VRNIC_QP_MAX_DEST_RD_ATOMIC) && attr.max_dest_rd_atomic > config.max_rd_atomic)
        return invalid(ATTR_FIELD(max_dest_rd_atomic));
    if (given(VRNIC_QP_RQ_PSN) && attr.rq_psn > Psn::kMask) return invalid(ATTR_FIELD(rq_psn));
    if (given(VRNIC_QP_SQ_PSN) && attr.sq_psn > Psn::kMask) return invalid(ATTR_FIELD(sq_psn));
    if (given(VRNIC_QP_DEST_QPN) && attr.dest_qpn > 0xffffff) return invalid(ATTR_FIELD(dest_qpn));
    return {};
}

// Of a connection: where it goes to. The numbers of both ends are known by now.
AdminResult<void> take_address(TransportContext& context, QueuePair& qp, const vrnic_av& av,
                               std::uint32_t destination_qpn) {
    auto peer =
        resolve(context.gids, context.port_mac, av, {qp.service(), qp.qpn, destination_qpn});
    if (!peer) return invalid(ATTR_FIELD(av) + peer.error());
    qp.peer = *peer;
    return {};
}

void take_attributes(vrnic_qp_attr& attr, const vrnic_qp_attr& given, std::uint32_t mask) {
    const auto take = [&](std::uint32_t attribute, auto& to, const auto& from) {
        if ((mask & attribute) != 0) to = from;
    };
    take(VRNIC_QP_EN_SQD_ASYNC_NOTIFY, attr.en_sqd_async_notify, given.en_sqd_async_notify);
    take(VRNIC_QP_ACCESS_FLAGS, attr.access_flags, given.access_flags);
    take(VRNIC_QP_PKEY_INDEX, attr.pkey_index, given.pkey_index);
    take(VRNIC_QP_PORT, attr.port, given.port);
    take(VRNIC_QP_QKEY, attr.qkey, given.qkey);
    take(VRNIC_QP_AV, attr.av, given.av);
    take(VRNIC_QP_PATH_MTU, attr.path_mtu, given.path_mtu);
    take(VRNIC_QP_TIMEOUT, attr.timeout, given.timeout);
    take(VRNIC_QP_RETRY_CNT, attr.retry_cnt, given.retry_cnt);
    take(VRNIC_QP_RNR_RETRY, attr.rnr_retry, given.rnr_retry);
    take(VRNIC_QP_RQ_PSN, attr.rq_psn, given.rq_psn);
    take(VRNIC_QP_MAX_QP_RD_ATOMIC, attr.max_rd_atomic, given.max_rd_atomic);
    take(VRNIC_QP_MIN_RNR_TIMER, attr.min_rnr_timer, given.min_rnr_timer);
    take(VRNIC_QP_SQ_PSN, attr.sq_psn, given.sq_psn);
    take(VRNIC_QP_MAX_DEST_RD_ATOMIC, attr.max_dest_rd_atomic, given.max_dest_rd_atomic);
    take(VRNIC_QP_DEST_QPN, attr.dest_qpn, given.dest_qpn);
}

// What a state begins with.
void enter_state(TransportContext& context, QueuePair& qp, std::uint8_t from, std::uint8_t to) {
    Requester& requester = qp.requester;
    qp.attr.state = to;
    if (to == VRNIC_QPS_RTR && from == VRNIC_QPS_INIT) {
        if (!qp.is_datagram()) qp.mtu = 128u << qp.attr.path_mtu;
        qp.responder.expected = Psn(qp.attr.rq_psn);
    } else if (to == VRNIC_QPS_RTS && from == VRNIC_QPS_RTR) {
        const Psn psn(qp.attr.sq_psn);
        requester.unacked = requester.sent_end = requester.next_psn = psn;
    } else if (to == VRNIC_QPS_SQD && from == VRNIC_QPS_RTS) {
        requester.drained = false;
        qp.attr.sq_draining = 1;
        if (!qp.has_requester()) requester::note_drained(context, qp);
    }
    if (to == VRNIC_QPS_RTS) {
        qp.sq.doorbell = true;
        qp.attr.sq_draining = 0;
    }
    if (qp.sends()) {
        requester.retries_left = qp.attr.retry_cnt;
        requester.rnr_retries_left = qp.attr.rnr_retry;
        context.make_ready(qp);
    }
}

// ---- create

constexpr std::uint32_t kKnownFlags =
    VRNIC_QP_SQ_SIG_ALL | VRNIC_QP_BLOCK_SELF_MCAST | VRNIC_QP_PRIVILEGED;
constexpr std::uint32_t kSends = VRNIC_QP_SQ_SIG_ALL | VRNIC_QP_PRIVILEGED;

struct TypeRules {
    std::uint8_t type;
    std::uint64_t feature;
    bool has_rings;  // and with them a PD, a doorbell slot, memory
    bool receives;   // has a receive queue or a shared one, and a CQ for it
    bool xrc_domain;
    std::uint32_t flags;
};
constexpr TypeRules kTypes[] = {
    {VRNIC_QPT_RC, VRNIC_CAP_RC, true, true, false, kSends},
    {VRNIC_QPT_UC, VRNIC_CAP_UC, true, true, false, kSends},
    {VRNIC_QPT_UD, VRNIC_CAP_UD, true, true, false, kSends | VRNIC_QP_BLOCK_SELF_MCAST},
    {VRNIC_QPT_GSI, VRNIC_CAP_KERNEL, true, true, false, kSends},
    {VRNIC_QPT_XRC_INI, VRNIC_CAP_XRC, true, false, false, kSends},
    {VRNIC_QPT_XRC_TGT, VRNIC_CAP_XRC, false, false, true, 0},
};

// As bits, by number.
std::uint16_t operations_of(const TransportConfig& config, std::uint8_t type) {
    static_assert(kSendOperations.size() <= 16);
    unsigned bits = 0;
    for (std::size_t i = 0; i < kSendOperations.size(); ++i)
        if (kSendOperations[i].is_of(type) && config.offers(kSendOperations[i].needs))
            bits |= 1u << i;
    return static_cast<std::uint16_t>(bits);
}

const TypeRules* rules_of(std::uint8_t type) {
    const auto* found = std::ranges::find(kTypes, type, &TypeRules::type);
    return found == std::end(kTypes) ? nullptr : found;
}

// The first field that a type has no use for and that is not zero, or not VRNIC_NO_QUEUE.
AdminResult<void> check_unused(const vrnic_cmd_create_qp& cmd, const TypeRules& rules) {
    if ((cmd.flags & ~kKnownFlags) != 0 || (cmd.flags & ~rules.flags) != 0)
        return invalid(CREATE_FIELD(flags));
    if (!rules.xrc_domain && cmd.xrcdn != 0) return invalid(CREATE_FIELD(xrcdn));
    if (!rules.receives) {
        if (cmd.recv_cqn != 0) return invalid(CREATE_FIELD(recv_cqn));
        if (cmd.srqn != 0) return invalid(CREATE_FIELD(srqn));
    }
    if ((!rules.receives || cmd.srqn != 0) && cmd.rq_log_size != VRNIC_NO_QUEUE)
        return invalid(CREATE_FIELD(rq_log_size));
    if (rules.has_rings) return {};
    if (cmd.pdn != 0) return invalid(CREATE_FIELD(pdn));
    if (cmd.uar != 0) return invalid(CREATE_FIELD(uar));
    if (cmd.send_cqn != 0) return invalid(CREATE_FIELD(send_cqn));
    if (cmd.sq_log_size != VRNIC_NO_QUEUE) return invalid(CREATE_FIELD(sq_log_size));
    return {};
}

// The memory with rings and doorbell record.
AdminResult<void> take_memory(TransportContext& context, QueuePair& qp,
                              const vrnic_cmd_create_qp& cmd) {
    const TransportConfig& config = context.config;
    const auto sq =
        make_ring({cmd.sq_log_size, cmd.sq_log_stride, cmd.sq_offset, CREATE_FIELD(sq_log_size),
                   CREATE_FIELD(sq_log_stride), CREATE_FIELD(sq_offset)},
                  {config.max_sq_entries, VRNIC_SQE_STRIDE_MIN_LOG, VRNIC_SQE_STRIDE_MAX_LOG});
    if (!sq) return std::unexpected(sq.error());
    // An entry has room for the address.
    if (qp.is_datagram() && sq->size != 0 && sq->stride < VRNIC_SQE_DATAGRAM_DATA_OFFSET)
        return invalid(CREATE_FIELD(sq_log_stride));
    const auto rq =
        make_ring({cmd.rq_log_size, cmd.rq_log_stride, cmd.rq_offset, CREATE_FIELD(rq_log_size),
                   CREATE_FIELD(rq_log_stride), CREATE_FIELD(rq_offset)},
                  {config.max_rq_entries, VRNIC_RQE_STRIDE_MIN_LOG, VRNIC_RQE_STRIDE_MAX_LOG});
    if (!rq) return std::unexpected(rq.error());
    if (cmd.dbrec_offset % 64 != 0) return invalid(CREATE_FIELD(dbrec_offset));

    const std::uint64_t length =
        std::max({sq->end(), rq->end(), cmd.dbrec_offset + std::uint64_t{sizeof(vrnic_qp_dbrec)}});
    auto memory = PagedMemory::create(context.host, cmd.memory, length, config.max_queue_pages,
                                      CREATE_FIELD(memory));
    if (!memory) return std::unexpected(memory.error());
    qp.dbrec_offset = cmd.dbrec_offset;
    qp.memory = std::move(*memory);
    qp.sq = *sq;
    qp.rq = *rq;
    const std::uint32_t in_flight =
        sq->size == 0 ? 1 : std::min({sq->size, kMaxInFlight, kMaxInFlightBytes / sq->stride});
    qp.requester.ring.resize(std::bit_floor(in_flight));
    qp.requester.entries = std::make_unique<Requester::EntryPart[]>(
        std::size_t{qp.requester.ring.size()} * sq->stride / sizeof(Requester::EntryPart));
    return {};
}

roce::Gid group_of(const vrnic_cmd_mcast& cmd) {
    roce::Gid gid;
    std::copy(std::begin(cmd.gid), std::end(cmd.gid), gid.begin());
    return gid;
}

// One more user of the CQs and of the shared receive queue, or one less.
void count_use(TransportContext& context, const QueuePair& qp, int change) {
    for (const std::uint32_t cqn : {qp.send_cqn, qp.recv_cqn})
        if (cqn != QueuePair::kNoCq)
            context.cqs.find(cqn)->users += static_cast<std::uint32_t>(change);
    if (qp.srqn != 0) context.srqs.find(qp.srqn)->users += static_cast<std::uint32_t>(change);
}

}  // namespace

AdminResult<std::uint32_t> create_qp(TransportContext& context, const vrnic_cmd_create_qp& cmd) {
    const TypeRules* rules = rules_of(cmd.type);
    if (!rules || !context.config.offers(rules->feature))
        return admin_error(VRNIC_STATUS_UNSUPPORTED, CREATE_FIELD(type));
    if (auto unused = check_unused(cmd, *rules); !unused) return std::unexpected(unused.error());
    if (rules->has_rings && !context.cqs.find(cmd.send_cqn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, CREATE_FIELD(send_cqn));
    if (rules->receives && !context.cqs.find(cmd.recv_cqn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, CREATE_FIELD(recv_cqn));
    if (cmd.srqn != 0) {
        const SharedReceiveQueue* srq = context.srqs.find(cmd.srqn);
        if (!srq || srq->is_xrc()) return admin_error(VRNIC_STATUS_NO_OBJECT, CREATE_FIELD(srqn));
    }

    QueuePair qp;
    qp.type = cmd.type;
    qp.datagram = is_datagram_type(cmd.type);
    qp.reliable = !qp.datagram && cmd.type != VRNIC_QPT_UC;
    qp.operations = operations_of(context.config, cmd.type);
    qp.pdn = cmd.pdn;
    qp.uar = cmd.uar;
    if (rules->has_rings) qp.send_cqn = cmd.send_cqn;
    if (rules->receives) qp.recv_cqn = cmd.recv_cqn;
    qp.srqn = cmd.srqn;
    qp.xrcdn = cmd.xrcdn;
    qp.signal_all = (cmd.flags & VRNIC_QP_SQ_SIG_ALL) != 0;
    qp.privileged = (cmd.flags & VRNIC_QP_PRIVILEGED) != 0;
    qp.blocks_self_mcast = (cmd.flags & VRNIC_QP_BLOCK_SELF_MCAST) != 0;
    if (rules->has_rings) {
        if (auto taken = take_memory(context, qp, cmd); !taken)
            return std::unexpected(taken.error());
    } else {
        qp.requester.ring.resize(1);  // never used: nothing else has to ask whether there is one
    }

    const bool gsi = cmd.type == VRNIC_QPT_GSI;
    const QueuePair* added =
        gsi ? context.qps.add_gsi(std::move(qp)) : context.qps.add(std::move(qp));
    if (!added)
        return gsi ? admin_error(VRNIC_STATUS_BUSY, CREATE_FIELD(type))
                   : admin_error(VRNIC_STATUS_LIMIT);
    count_use(context, *added, +1);
    return added->qpn;
}

AdminResult<void> modify_qp(TransportContext& context, const vrnic_cmd_modify_qp& cmd) {
    QueuePair* qp = context.qps.find(cmd.qpn);
    if (!qp) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_modify_qp, qpn));
    const std::uint32_t mask = cmd.mask;
    const std::uint8_t from = qp->state();
    if ((mask & VRNIC_QP_CUR_STATE) != 0 && cmd.attr.cur_state != from)
        return admin_error(VRNIC_STATUS_BAD_STATE, ATTR_FIELD(cur_state));
    const std::uint8_t to = (mask & VRNIC_QP_STATE) != 0 ? cmd.attr.state : from;
    const auto transition = find_transition(qp->type, from, to);
    if (!transition) return admin_error(VRNIC_STATUS_BAD_STATE, ATTR_FIELD(state));
    const std::uint32_t allowed = transition->required | transition->optional | VRNIC_QP_STATE;
    if ((mask & transition->required) != transition->required || (mask & ~allowed) != 0)
        return invalid(VRNIC_FIELD(vrnic_cmd_modify_qp, mask));
    if (auto checked = check_attributes(context, cmd.attr, mask); !checked) return checked;
    if ((mask & VRNIC_QP_AV) != 0) {
        const std::uint32_t destination_qpn =
            (mask & VRNIC_QP_DEST_QPN) != 0 ? cmd.attr.dest_qpn : qp->attr.dest_qpn;
        if (auto taken = take_address(context, *qp, cmd.attr.av, destination_qpn); !taken)
            return taken;
    }

    if (to == VRNIC_QPS_RESET) {
        reset_qp(context, *qp);
        return {};
    }
    if (to == VRNIC_QPS_ERR) {
        responder::send_last_answers(context, *qp);
        enter_error(context, *qp);
        return {};
    }
    take_attributes(qp->attr, cmd.attr, mask);
    enter_state(context, *qp, from, to);
    return {};
}

AdminResult<vrnic_resp_query_qp> query_qp(TransportContext& context, std::uint32_t qpn) {
    const QueuePair* qp = context.qps.find(qpn);
    if (!qp) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    vrnic_resp_query_qp response{};
    response.attr = qp->attr;
    response.attr.cur_state = qp->state();
    if (qp->receives()) response.attr.rq_psn = qp->responder.expected.value();
    if (qp->sends()) response.attr.sq_psn = qp->requester.next_psn.value();
    return response;
}

AdminResult<void> destroy_qp(TransportContext& context, std::uint32_t qpn) {
    QueuePair* qp = context.qps.find(qpn);
    if (!qp) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    responder::send_last_answers(context, *qp);
    context.stop_timer(*qp);
    if (qp->binds_windows) context.regions.forget_qp(qpn);
    if (qp->is_datagram()) context.multicast.forget_qp(qpn);
    count_use(context, *qp, -1);
    context.streams.forget(VRNIC_CONTEXT_QP, qpn);
    context.qps.remove(qpn);
    return {};
}

AdminResult<void> attach_mcast(TransportContext& context, const vrnic_cmd_mcast& cmd) {
    const QueuePair* qp = context.qps.find(cmd.qpn);
    if (!qp) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_mcast, qpn));
    if (!qp->is_datagram()) return invalid(VRNIC_FIELD(vrnic_cmd_mcast, qpn));
    const roce::Gid group = group_of(cmd);
    if (!is_multicast(group)) return invalid(VRNIC_FIELD(vrnic_cmd_mcast, gid));
    return context.multicast.attach(group, cmd.qpn);
}

AdminResult<void> detach_mcast(TransportContext& context, const vrnic_cmd_mcast& cmd) {
    if (!context.qps.find(cmd.qpn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_mcast, qpn));
    return context.multicast.detach(group_of(cmd), cmd.qpn);
}

}  // namespace vrnic
