// SPDX-License-Identifier: GPL-2.0
/* Queue pairs of user processes. */
#include <linux/etherdevice.h>

#include "vrnic_ib.h"

/* Numbers that are the same on both sides. */
static_assert(IB_QPS_RESET == VRNIC_QPS_RESET && IB_QPS_ERR == VRNIC_QPS_ERR);
static_assert(IB_QPT_RC == VRNIC_QPT_RC);
static_assert(IB_QP_STATE == VRNIC_QP_STATE && IB_QP_DEST_QPN == VRNIC_QP_DEST_QPN);
static_assert(IB_QP_AV == VRNIC_QP_AV && IB_QP_MIN_RNR_TIMER == VRNIC_QP_MIN_RNR_TIMER);

#define VRNIC_QP_MASK_SUPPORTED                                                                    \
	(VRNIC_QP_STATE | VRNIC_QP_CUR_STATE | VRNIC_QP_EN_SQD_ASYNC_NOTIFY |                      \
	 VRNIC_QP_ACCESS_FLAGS | VRNIC_QP_PKEY_INDEX | VRNIC_QP_PORT | VRNIC_QP_QKEY |             \
	 VRNIC_QP_AV | VRNIC_QP_PATH_MTU | VRNIC_QP_TIMEOUT | VRNIC_QP_RETRY_CNT |                 \
	 VRNIC_QP_RNR_RETRY | VRNIC_QP_RQ_PSN | VRNIC_QP_MAX_QP_RD_ATOMIC |                        \
	 VRNIC_QP_MIN_RNR_TIMER | VRNIC_QP_SQ_PSN | VRNIC_QP_MAX_DEST_RD_ATOMIC |                  \
	 VRNIC_QP_DEST_QPN)

#define VRNIC_QP_ACCESS                                                                            \
	(IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_ATOMIC |                \
	 VRNIC_IB_ACCESS_FLUSH)

/* ---- create ---- */

/* An empty queue, or one whose size and stride the device's descriptors allow. */
static bool vrnic_queue_fits(u8 log_size, u8 log_stride, u32 wanted, u32 max, u8 min_stride,
			     u8 max_stride)
{
	if (log_size == VRNIC_NO_QUEUE)
		return wanted == 0;
	return log_size < 31 && 1u << log_size <= max && wanted <= 1u << log_size &&
	       log_stride >= min_stride && log_stride <= max_stride;
}

static int vrnic_qp_check(struct ib_device *ib, const struct ib_qp_init_attr *init,
			  const struct vrnic_ib_create_qp_req *req)
{
	const struct vrnic_device_caps *caps = vrnic_caps(vrnic_of(ib));

	if (init->qp_type != IB_QPT_RC || init->create_flags || init->srq)
		return -EOPNOTSUPP;
	if (init->cap.max_send_sge > le32_to_cpu(caps->max_send_sge) ||
	    init->cap.max_recv_sge > le32_to_cpu(caps->max_recv_sge) ||
	    init->cap.max_inline_data > le32_to_cpu(caps->max_inline))
		return -EINVAL;
	if (!vrnic_queue_fits(req->sq_log_size, req->sq_log_stride, init->cap.max_send_wr,
			      le32_to_cpu(caps->max_sq_entries), VRNIC_SQE_STRIDE_MIN_LOG,
			      VRNIC_SQE_STRIDE_MAX_LOG))
		return -EINVAL;
	if (!vrnic_queue_fits(req->rq_log_size, req->rq_log_stride, init->cap.max_recv_wr,
			      le32_to_cpu(caps->max_rq_entries), VRNIC_RQE_STRIDE_MIN_LOG,
			      VRNIC_RQE_STRIDE_MAX_LOG))
		return -EINVAL;
	return 0;
}

static void vrnic_qp_fill_create(struct vrnic_qp *qp, const struct ib_qp_init_attr *init,
				 const struct vrnic_ib_create_qp_req *req,
				 struct vrnic_cmd_create_qp *cmd)
{
	cmd->pdn = cpu_to_le32(to_vrnic_pd(qp->ib.pd)->pdn);
	cmd->uar = cpu_to_le32(qp->uar);
	cmd->send_cqn = cpu_to_le32(to_vrnic_cq(init->send_cq)->cqn);
	cmd->recv_cqn = cpu_to_le32(to_vrnic_cq(init->recv_cq)->cqn);
	cmd->type = VRNIC_QPT_RC;
	cmd->sq_log_size = req->sq_log_size;
	cmd->sq_log_stride = req->sq_log_stride;
	cmd->rq_log_size = req->rq_log_size;
	cmd->rq_log_stride = req->rq_log_stride;
	cmd->flags = cpu_to_le32(init->sq_sig_type == IB_SIGNAL_ALL_WR ? VRNIC_QP_SQ_SIG_ALL : 0);
	cmd->sq_offset = cpu_to_le32(req->sq_offset);
	cmd->rq_offset = cpu_to_le32(req->rq_offset);
	cmd->dbrec_offset = cpu_to_le32(req->dbrec_offset);
	cmd->memory = qp->memory.list;
}

int vrnic_create_qp(struct ib_qp *ib, struct ib_qp_init_attr *init, struct ib_udata *udata)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(ib->device);
	struct vrnic_dev *dev = vib->dev;
	struct vrnic_qp *qp = to_vrnic_qp(ib);
	struct vrnic_ib_create_qp_req req;
	struct vrnic_ib_create_qp_resp resp = {};
	struct vrnic_cmd_create_qp cmd = {};
	int ret;

	if (!udata)
		return -EOPNOTSUPP;
	ret = vrnic_get_udata(udata, &req, sizeof(req));
	if (ret)
		return ret;
	ret = vrnic_qp_check(ib->device, init, &req);
	if (ret)
		return ret;
	ret = vrnic_memory_pin(ib->device, &qp->memory, req.buf_va, req.buf_len, req.buf_va,
			       IB_ACCESS_LOCAL_WRITE);
	if (ret)
		return ret;

	qp->uar = rdma_udata_to_drv_context(udata, struct vrnic_ucontext, ib)->uar;
	vrnic_qp_fill_create(qp, init, &req, &cmd);
	ret = vrnic_cmd_create_qp(dev, &cmd, &qp->qpn);
	vrnic_memory_free_tables(ib->device, &qp->memory);
	if (ret)
		goto release;

	ib->qp_num = qp->qpn;
	qp->state = IB_QPS_RESET;
	qp->cap = init->cap;
	qp->sq_sig_type = init->sq_sig_type;
	ret = xa_insert(&vib->qps, qp->qpn, qp, GFP_KERNEL);
	if (ret)
		goto destroy;
	resp.qpn = qp->qpn;
	ret = vrnic_put_udata(udata, &resp, sizeof(resp));
	if (ret)
		goto erase;
	return 0;

erase:
	xa_erase(&vib->qps, qp->qpn);
	vrnic_async_sync(dev);
destroy:
	vrnic_cmd_destroy_qp(dev, qp->qpn);
release:
	vrnic_memory_release(ib->device, &qp->memory);
	return ret;
}

int vrnic_destroy_qp(struct ib_qp *ib, struct ib_udata *udata)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(ib->device);
	struct vrnic_qp *qp = to_vrnic_qp(ib);

	/* First: once it is destroyed, its number may be another one's. */
	xa_erase(&vib->qps, qp->qpn);
	vrnic_async_sync(vib->dev); /* no event handler has the pointer */
	vrnic_cmd_destroy_qp(vib->dev, qp->qpn);
	vrnic_memory_release(ib->device, &qp->memory);
	return 0;
}

/* ---- modify ---- */

/* The core has resolved the destination's MAC address. */
static int vrnic_fill_av(const struct vrnic_qp *qp, const struct rdma_ah_attr *ah,
			 struct vrnic_av *av)
{
	const struct ib_global_route *grh = rdma_ah_read_grh(ah);

	if (ah->type != RDMA_AH_ATTR_TYPE_ROCE || !(rdma_ah_get_ah_flags(ah) & IB_AH_GRH))
		return -EINVAL;
	memcpy(av->dgid, grh->dgid.raw, sizeof(av->dgid));
	av->flow_label = cpu_to_le32(grh->flow_label & 0xfffff);
	ether_addr_copy(av->dmac, ah->roce.dmac);
	av->hop_limit = grh->hop_limit;
	av->traffic_class = grh->traffic_class;
	av->sgid_index = grh->sgid_index;
	av->sl = rdma_ah_get_sl(ah);
	av->udp_sport =
		cpu_to_le16(rdma_get_udp_sport(grh->flow_label, qp->qpn, qp->dest_qpn));
	return 0;
}

static int vrnic_fill_attr(struct vrnic_qp *qp, const struct ib_qp_attr *attr, int mask,
			   struct vrnic_qp_attr *out)
{
	if (mask & IB_QP_STATE)
		out->state = attr->qp_state;
	if (mask & IB_QP_CUR_STATE)
		out->cur_state = attr->cur_qp_state;
	if (mask & IB_QP_EN_SQD_ASYNC_NOTIFY)
		out->en_sqd_async_notify = attr->en_sqd_async_notify;
	if (mask & IB_QP_ACCESS_FLAGS)
		out->access_flags = cpu_to_le32(attr->qp_access_flags & VRNIC_QP_ACCESS);
	if (mask & IB_QP_PKEY_INDEX)
		out->pkey_index = cpu_to_le16(attr->pkey_index);
	if (mask & IB_QP_PORT)
		out->port = attr->port_num;
	if (mask & IB_QP_QKEY)
		out->qkey = cpu_to_le32(attr->qkey);
	if (mask & IB_QP_PATH_MTU)
		out->path_mtu = attr->path_mtu;
	if (mask & IB_QP_TIMEOUT)
		out->timeout = attr->timeout;
	if (mask & IB_QP_RETRY_CNT)
		out->retry_cnt = attr->retry_cnt;
	if (mask & IB_QP_RNR_RETRY)
		out->rnr_retry = attr->rnr_retry;
	if (mask & IB_QP_RQ_PSN)
		out->rq_psn = cpu_to_le32(attr->rq_psn & 0xffffff);
	if (mask & IB_QP_MAX_QP_RD_ATOMIC)
		out->max_rd_atomic = attr->max_rd_atomic;
	if (mask & IB_QP_MIN_RNR_TIMER)
		out->min_rnr_timer = attr->min_rnr_timer;
	if (mask & IB_QP_SQ_PSN)
		out->sq_psn = cpu_to_le32(attr->sq_psn & 0xffffff);
	if (mask & IB_QP_MAX_DEST_RD_ATOMIC)
		out->max_dest_rd_atomic = attr->max_dest_rd_atomic;
	if (mask & IB_QP_DEST_QPN) {
		qp->dest_qpn = attr->dest_qp_num;
		out->dest_qpn = cpu_to_le32(attr->dest_qp_num);
	}
	if (mask & IB_QP_AV) /* after the destination: its number is in the port */
		return vrnic_fill_av(qp, &attr->ah_attr, &out->av);
	return 0;
}

int vrnic_modify_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask, struct ib_udata *udata)
{
	struct vrnic_qp *qp = to_vrnic_qp(ib);
	struct vrnic_cmd_modify_qp cmd = {};
	enum ib_qp_state current_state = mask & IB_QP_CUR_STATE ? attr->cur_qp_state : qp->state;
	enum ib_qp_state next_state = mask & IB_QP_STATE ? attr->qp_state : current_state;
	int ret;

	if (mask & ~VRNIC_QP_MASK_SUPPORTED)
		return -EOPNOTSUPP;
	/*
	 * Says which attributes a transition needs and allows. That the QP is in
	 * that state only the device knows, and it checks that.
	 */
	if (!ib_modify_qp_is_ok(current_state, next_state, ib->qp_type, mask))
		return -EINVAL;

	cmd.qpn = cpu_to_le32(qp->qpn);
	cmd.mask = cpu_to_le32(mask);
	ret = vrnic_fill_attr(qp, attr, mask, &cmd.attr);
	if (ret)
		return ret;
	ret = vrnic_cmd_modify_qp(vrnic_of(ib->device), &cmd);
	/* A QP of a dead device can be moved to where nothing happens. */
	if (ret == -EIO && (next_state == IB_QPS_RESET || next_state == IB_QPS_ERR))
		ret = 0;
	if (!ret)
		qp->state = next_state;
	return ret;
}

/* ---- query ---- */

static void vrnic_read_av(const struct vrnic_av *av, struct rdma_ah_attr *ah)
{
	union ib_gid dgid;

	memcpy(dgid.raw, av->dgid, sizeof(dgid.raw));
	ah->type = RDMA_AH_ATTR_TYPE_ROCE;
	rdma_ah_set_grh(ah, &dgid, le32_to_cpu(av->flow_label), av->sgid_index, av->hop_limit,
			av->traffic_class);
	rdma_ah_set_sl(ah, av->sl);
	rdma_ah_set_port_num(ah, VRNIC_PORT);
	ether_addr_copy(ah->roce.dmac, av->dmac);
}

int vrnic_query_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
		   struct ib_qp_init_attr *init)
{
	struct vrnic_qp *qp = to_vrnic_qp(ib);
	struct vrnic_qp_attr in;
	int ret;

	ret = vrnic_cmd_query_qp(vrnic_of(ib->device), qp->qpn, &in);
	if (ret)
		return ret;

	memset(attr, 0, sizeof(*attr));
	attr->qp_state = in.state;
	attr->cur_qp_state = in.state;
	attr->path_mtu = in.path_mtu;
	attr->path_mig_state = IB_MIG_MIGRATED;
	attr->qkey = le32_to_cpu(in.qkey);
	attr->rq_psn = le32_to_cpu(in.rq_psn);
	attr->sq_psn = le32_to_cpu(in.sq_psn);
	attr->dest_qp_num = le32_to_cpu(in.dest_qpn);
	attr->qp_access_flags = le32_to_cpu(in.access_flags);
	attr->cap = qp->cap;
	attr->pkey_index = le16_to_cpu(in.pkey_index);
	attr->en_sqd_async_notify = in.en_sqd_async_notify;
	attr->sq_draining = in.sq_draining;
	attr->max_rd_atomic = in.max_rd_atomic;
	attr->max_dest_rd_atomic = in.max_dest_rd_atomic;
	attr->min_rnr_timer = in.min_rnr_timer;
	attr->port_num = in.port ? in.port : VRNIC_PORT;
	attr->timeout = in.timeout;
	attr->retry_cnt = in.retry_cnt;
	attr->rnr_retry = in.rnr_retry;
	vrnic_read_av(&in.av, &attr->ah_attr);

	qp->state = attr->qp_state;
	init->event_handler = ib->event_handler;
	init->qp_context = ib->qp_context;
	init->send_cq = ib->send_cq;
	init->recv_cq = ib->recv_cq;
	init->srq = ib->srq;
	init->cap = qp->cap;
	init->sq_sig_type = qp->sq_sig_type;
	init->qp_type = ib->qp_type;
	init->port_num = VRNIC_PORT;
	return 0;
}
