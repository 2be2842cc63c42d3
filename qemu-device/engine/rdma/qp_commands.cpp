// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/qp_commands.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "rdma/completion.h"
#include "rdma/qp_states.h"

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

struct RingFields {
    std::uint8_t log_size, log_stride;
    std::uint32_t offset;
    std::uint32_t size_field, stride_field, offset_field;
};

AdminResult<WorkRing> make_ring(const RingFields& fields, std::uint32_t max_entries,
                                unsigned min_log_stride, unsigned max_log_stride) {
    WorkRing ring;
    if (fields.log_size == VRNIC_NO_QUEUE) return ring;
    if (fields.log_size > 31 || 1u << fields.log_size > max_entries)
        return invalid(fields.size_field);
    if (fields.log_stride < min_log_stride || fields.log_stride > max_log_stride)
        return invalid(fields.stride_field);
    if (fields.offset % 64 != 0) return invalid(fields.offset_field);
    ring.offset = fields.offset;
    ring.size = 1u << fields.log_size;
    ring.stride = 1u << fields.log_stride;
    return ring;
}

std::uint64_t end_of(const WorkRing& ring) {
    return ring.offset + std::uint64_t{ring.size} * ring.stride;
}

// Everything that RESET forgets.
void reset_qp(TransportContext& context, QueuePair& qp) {
    context.stop_timer(qp);
    qp.timer_due = false;
    qp.attr = {};
    for (WorkRing* ring : {&qp.sq, &qp.rq}) {
        ring->next = 0;
        ring->producer = 0;
        ring->doorbell = false;
    }
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

AdminResult<void> check_av(const TransportContext& context, const vrnic_av& av) {
    const auto av_field = [](std::size_t offset) {
        return ATTR_FIELD(av) + static_cast<std::uint32_t>(offset);
    };
    const GidEntry* source = context.gids.find(av.sgid_index);
    if (!source) return invalid(av_field(offsetof(vrnic_av, sgid_index)));
    roce::Gid dgid;
    std::copy(std::begin(av.dgid), std::end(av.dgid), dgid.begin());
    if (is_ipv4(dgid) != is_ipv4(source->gid) || dgid == roce::Gid{} || dgid[0] == 0xff)
        return invalid(av_field(offsetof(vrnic_av, dgid)));
    if (av.flow_label > 0xfffff) return invalid(av_field(offsetof(vrnic_av, flow_label)));
    if ((av.dmac[0] & 1) != 0) return invalid(av_field(offsetof(vrnic_av, dmac)));
    if (av.sl > 15) return invalid(av_field(offsetof(vrnic_av, sl)));
    return {};
}

// Connections spread over the ports that annex A17 gives for it; one connection keeps to one.
std::uint16_t choose_source_port(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t mixed = (a * 0x9e3779b1u) ^ (b * 0x85ebca6bu);
    return static_cast<std::uint16_t>(0xc000 | (mixed >> 18));
}

void apply_av(TransportContext& context, QueuePair& qp) {
    const vrnic_av& av = qp.attr.av;
    const GidEntry& source = *context.gids.find(av.sgid_index);
    roce::Path path;
    path.source_mac = source.mac;
    std::copy(std::begin(av.dmac), std::end(av.dmac), path.destination_mac.begin());
    path.has_vlan = source.vlan != VRNIC_VLAN_NONE;
    path.vlan = path.has_vlan ? source.vlan : 0;
    path.source = source.gid;
    std::copy(std::begin(av.dgid), std::end(av.dgid), path.destination.begin());
    path.ipv4 = is_ipv4(path.source);
    path.service_level = av.sl;
    path.traffic_class = av.traffic_class;
    path.hop_limit = av.hop_limit != 0 ? av.hop_limit : 64;
    path.flow_label = av.flow_label;
    path.source_port = av.udp_sport != 0 ? std::uint16_t{av.udp_sport}
                                         : choose_source_port(qp.qpn, qp.attr.dest_qpn);
    path.destination_qp = qp.attr.dest_qpn;

    qp.path = roce::PathHeaders::make(path);
    qp.local_gid = path.source;
    qp.remote_gid = path.destination;
    qp.local_mac = path.source_mac;
    qp.vlan = path.vlan;
    qp.loopback = path.destination_mac == path.source_mac ||
                  path.destination_mac == context.port_mac ||
                  context.gids.contains(path.destination);
}

void take_attributes(vrnic_qp_attr& attr, const vrnic_qp_attr& given, std::uint32_t mask) {
    const auto take = [&](std::uint32_t attribute, auto& to, const auto& from) {
        if ((mask & attribute) != 0) to = from;
    };
    take(VRNIC_QP_EN_SQD_ASYNC_NOTIFY, attr.en_sqd_async_notify, given.en_sqd_async_notify);
    take(VRNIC_QP_ACCESS_FLAGS, attr.access_flags, given.access_flags);
    take(VRNIC_QP_PKEY_INDEX, attr.pkey_index, given.pkey_index);
    take(VRNIC_QP_PORT, attr.port, given.port);
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
        qp.mtu = 128u << qp.attr.path_mtu;
        qp.responder.expected = Psn(qp.attr.rq_psn);
    } else if (to == VRNIC_QPS_RTS && from == VRNIC_QPS_RTR) {
        const Psn psn(qp.attr.sq_psn);
        requester.unacked = requester.sent_end = requester.next_psn = psn;
    } else if (to == VRNIC_QPS_SQD && from == VRNIC_QPS_RTS) {
        requester.drained = false;
        qp.attr.sq_draining = 1;
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

}  // namespace

AdminResult<std::uint32_t> create_qp(TransportContext& context, const vrnic_cmd_create_qp& cmd) {
    const TransportConfig& config = context.config;
    if (cmd.type != VRNIC_QPT_RC) return admin_error(VRNIC_STATUS_UNSUPPORTED, CREATE_FIELD(type));
    if ((cmd.flags & ~VRNIC_QP_SQ_SIG_ALL) != 0) return invalid(CREATE_FIELD(flags));
    if (cmd.srqn != 0) return admin_error(VRNIC_STATUS_NO_OBJECT, CREATE_FIELD(srqn));
    if (cmd.xrcdn != 0) return invalid(CREATE_FIELD(xrcdn));
    CompletionQueue* send_cq = context.cqs.find(cmd.send_cqn);
    if (!send_cq) return admin_error(VRNIC_STATUS_NO_OBJECT, CREATE_FIELD(send_cqn));
    CompletionQueue* recv_cq = context.cqs.find(cmd.recv_cqn);
    if (!recv_cq) return admin_error(VRNIC_STATUS_NO_OBJECT, CREATE_FIELD(recv_cqn));

    const auto sq =
        make_ring({cmd.sq_log_size, cmd.sq_log_stride, cmd.sq_offset, CREATE_FIELD(sq_log_size),
                   CREATE_FIELD(sq_log_stride), CREATE_FIELD(sq_offset)},
                  config.max_sq_entries, VRNIC_SQE_STRIDE_MIN_LOG, VRNIC_SQE_STRIDE_MAX_LOG);
    if (!sq) return std::unexpected(sq.error());
    const auto rq =
        make_ring({cmd.rq_log_size, cmd.rq_log_stride, cmd.rq_offset, CREATE_FIELD(rq_log_size),
                   CREATE_FIELD(rq_log_stride), CREATE_FIELD(rq_offset)},
                  config.max_rq_entries, VRNIC_RQE_STRIDE_MIN_LOG, VRNIC_RQE_STRIDE_MAX_LOG);
    if (!rq) return std::unexpected(rq.error());
    if (cmd.dbrec_offset % 64 != 0) return invalid(CREATE_FIELD(dbrec_offset));

    const std::uint64_t length = std::max(
        {end_of(*sq), end_of(*rq), cmd.dbrec_offset + std::uint64_t{sizeof(vrnic_qp_dbrec)}});
    auto memory = PagedMemory::create(context.host, cmd.memory, length, config.max_queue_pages,
                                      CREATE_FIELD(memory));
    if (!memory) return std::unexpected(memory.error());

    QueuePair qp;
    qp.pdn = cmd.pdn;
    qp.uar = cmd.uar;
    qp.send_cqn = cmd.send_cqn;
    qp.recv_cqn = cmd.recv_cqn;
    qp.signal_all = (cmd.flags & VRNIC_QP_SQ_SIG_ALL) != 0;
    qp.dbrec_offset = cmd.dbrec_offset;
    qp.memory = std::move(*memory);
    qp.sq = *sq;
    qp.rq = *rq;
    const std::uint32_t in_flight =
        sq->size == 0 ? 1 : std::min({sq->size, kMaxInFlight, kMaxInFlightBytes / sq->stride});
    qp.requester.ring.resize(std::bit_floor(in_flight));
    qp.requester.entries.resize(std::size_t{qp.requester.ring.size()} * sq->stride);

    const QueuePair* added = context.qps.add(std::move(qp));
    if (!added) return admin_error(VRNIC_STATUS_LIMIT);
    ++send_cq->users;
    ++recv_cq->users;
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
    const Transition* transition = find_transition(from, to);
    if (!transition) return admin_error(VRNIC_STATUS_BAD_STATE, ATTR_FIELD(state));
    const std::uint32_t allowed = transition->required | transition->optional | VRNIC_QP_STATE;
    if ((mask & transition->required) != transition->required || (mask & ~allowed) != 0)
        return invalid(VRNIC_FIELD(vrnic_cmd_modify_qp, mask));
    if (auto checked = check_attributes(context, cmd.attr, mask); !checked) return checked;
    if ((mask & VRNIC_QP_AV) != 0)
        if (auto checked = check_av(context, cmd.attr.av); !checked) return checked;

    if (to == VRNIC_QPS_RESET) {
        reset_qp(context, *qp);
        return {};
    }
    if (to == VRNIC_QPS_ERR) {
        enter_error(context, *qp);
        return {};
    }
    take_attributes(qp->attr, cmd.attr, mask);
    if ((mask & VRNIC_QP_AV) != 0) apply_av(context, *qp);
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
    context.stop_timer(*qp);
    if (qp->binds_windows) context.regions.forget_qp(qpn);
    --context.cqs.find(qp->send_cqn)->users;
    --context.cqs.find(qp->recv_cqn)->users;
    context.qps.remove(qpn);
    return {};
}

}  // namespace vrnic
