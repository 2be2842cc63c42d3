// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/describe.h"

namespace vrnic {

vrnic_qp_context describe(const TransportContext& context, const QueuePair& qp) {
    vrnic_qp_context out{};
    out.qpn = qp.qpn;
    out.type = qp.type;
    out.state = qp.state();
    out.path_mtu = qp.attr.path_mtu;
    out.privileged = qp.privileged;
    out.pdn = qp.pdn;
    out.uar = qp.uar;
    out.send_cqn = qp.send_cqn;
    out.recv_cqn = qp.recv_cqn;
    out.srqn = qp.srqn;
    out.xrcdn = qp.xrcdn;
    out.counters = qp.counter_set;
    out.dest_qpn = qp.attr.dest_qpn;
    out.access_flags = qp.attr.access_flags;
    out.qkey = qp.attr.qkey;

    out.sq_size = qp.sq.size;
    out.sq_stride = qp.sq.stride;
    out.sq_next = qp.sq.next;
    out.sq_producer = qp.sq.producer;
    out.rq_size = qp.rq.size;
    out.rq_stride = qp.rq.stride;
    out.rq_next = qp.rq.next;
    out.rq_producer = qp.rq.producer;

    const Requester& requester = qp.requester;
    out.unacked_psn = requester.unacked.value();
    out.sent_end_psn = requester.sent_end.value();
    out.next_psn = requester.next_psn.value();
    out.requests = requester.tail - requester.head;
    out.unsent = requester.tail - requester.cursor;
    out.fetches = requester.fetches_outstanding;
    out.retries_left = requester.retries_left;
    out.rnr_retries_left = requester.rnr_retries_left;
    out.timer_running = context.timer_runs(qp);
    out.rnr_waiting = requester.rnr_waiting;

    const Responder& responder = qp.responder;
    out.nak_sent = responder.nak_sent;
    out.ack_pending = responder.ack_pending;
    out.message = static_cast<std::uint8_t>(responder.message);
    out.entry_taken = responder.entry_taken;
    out.expected_psn = responder.expected.value();
    out.msn = responder.msn;
    out.received = responder.received;
    out.jobs = responder.num_jobs;
    return out;
}

vrnic_srq_context describe(const SharedReceiveQueue& srq) {
    vrnic_srq_context out{};
    out.srqn = srq.srqn;
    out.pdn = srq.pdn;
    out.xrcdn = srq.xrcdn;
    out.cqn = srq.cqn;
    out.size = srq.ring.size;
    out.stride = srq.ring.stride;
    out.next = srq.ring.next;
    out.producer = srq.ring.producer;
    out.limit = srq.limit;
    out.users = srq.users;
    out.failed = srq.failed;
    return out;
}

}  // namespace vrnic
