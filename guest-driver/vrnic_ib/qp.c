// SPDX-License-Identifier: GPL-2.0
/* Queue pairs. Their queues: kernel_qp.c, or the process. */
#include "kernel.h"

/* Numbers that are the same on both sides. */
static_assert(IB_QPS_RESET == VRNIC_QPS_RESET && IB_QPS_ERR == VRNIC_QPS_ERR);
static_assert(IB_QPT_GSI == VRNIC_QPT_GSI);
static_assert(IB_QPT_RC == VRNIC_QPT_RC && IB_QPT_UC == VRNIC_QPT_UC);
static_assert(IB_QPT_UD == VRNIC_QPT_UD && IB_QPT_XRC_INI == VRNIC_QPT_XRC_INI);
static_assert(IB_QPT_XRC_TGT == VRNIC_QPT_XRC_TGT);
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
bool vrnic_queue_fits(u8 log_size, u8 log_stride, u32 wanted, u32 max, u8 min_stride,
		      u8 max_stride)
{
	if (log_size == VRNIC_NO_QUEUE)
		return wanted == 0;
	return log_size < 31 && 1u << log_size <= max && wanted <= 1u << log_size &&
	       log_stride >= min_stride && log_stride <= max_stride;
}

#define VRNIC_FOR_USER BIT(0)
#define VRNIC_FOR_KERNEL BIT(1)
#define VRNIC_FOR_ALL (VRNIC_FOR_USER | VRNIC_FOR_KERNEL)

/* Which types there are, the capability that each needs, and whom it is for. */
static const struct {
	enum ib_qp_type type;
	const char *name;
	u64 feature;
	unsigned int users;
	u32 create_flags; /* allowed */
} vrnic_qp_types[] = {
	{ IB_QPT_GSI, "GSI queue pairs", VRNIC_CAP_KERNEL, VRNIC_FOR_KERNEL, 0 },
	{ IB_QPT_RC, "RC queue pairs", VRNIC_CAP_RC, VRNIC_FOR_ALL, 0 },
	{ IB_QPT_UC, "UC queue pairs", VRNIC_CAP_UC, VRNIC_FOR_ALL, 0 },
	{ IB_QPT_UD, "UD queue pairs", VRNIC_CAP_UD, VRNIC_FOR_ALL,
	  IB_QP_CREATE_BLOCK_MULTICAST_LOOPBACK },
	{ IB_QPT_XRC_INI, "XRC queue pairs", VRNIC_CAP_XRC, VRNIC_FOR_USER, 0 },
	{ IB_QPT_XRC_TGT, "XRC queue pairs", VRNIC_CAP_XRC, VRNIC_FOR_ALL, 0 },
};

static int vrnic_qp_check_type(struct ib_device *ib, const struct ib_qp_init_attr *init,
			       unsigned int user)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vrnic_qp_types); i++) {
		if (vrnic_qp_types[i].type != init->qp_type)
			continue;
		if (!vrnic_offers(ib, vrnic_qp_types[i].feature, vrnic_qp_types[i].name) ||
		    !(vrnic_qp_types[i].users & user) ||
		    init->create_flags & ~vrnic_qp_types[i].create_flags)
			return -EOPNOTSUPP;
		return 0;
	}
	return -EOPNOTSUPP;
}

static int vrnic_qp_check(struct ib_device *ib, const struct ib_qp_init_attr *init,
			  const struct vrnic_ib_create_qp_req *req)
{
	const struct vrnic_device_caps *caps = vrnic_caps(vrnic_of(ib));
	bool receives = init->qp_type != IB_QPT_XRC_INI && !init->srq;

	if (init->cap.max_send_sge > le32_to_cpu(caps->max_send_sge) ||
	    init->cap.max_recv_sge > le32_to_cpu(caps->max_recv_sge) ||
	    init->cap.max_inline_data > le32_to_cpu(caps->max_inline))
		return -EINVAL;
	if (!vrnic_queue_fits(req->sq_log_size, req->sq_log_stride, init->cap.max_send_wr,
			      le32_to_cpu(caps->max_sq_entries), VRNIC_SQE_STRIDE_MIN_LOG,
			      VRNIC_SQE_STRIDE_MAX_LOG))
		return -EINVAL;
	if (!receives)
		return req->rq_log_size == VRNIC_NO_QUEUE ? 0 : -EINVAL;
	if (!vrnic_queue_fits(req->rq_log_size, req->rq_log_stride, init->cap.max_recv_wr,
			      le32_to_cpu(caps->max_rq_entries), VRNIC_RQE_STRIDE_MIN_LOG,
			      VRNIC_RQE_STRIDE_MAX_LOG))
		return -EINVAL;
	return 0;
}

/* All but the queues. */
static void vrnic_qp_fill_create(struct vrnic_qp *qp, const struct ib_qp_init_attr *init,
				 struct vrnic_cmd_create_qp *cmd)
{
	u32 flags = init->sq_sig_type == IB_SIGNAL_ALL_WR ? VRNIC_QP_SQ_SIG_ALL : 0;

	if (init->create_flags & IB_QP_CREATE_BLOCK_MULTICAST_LOOPBACK)
		flags |= VRNIC_QP_BLOCK_SELF_MCAST;
	cmd->pdn = cpu_to_le32(to_vrnic_pd(qp->ib.pd)->pdn);
	cmd->uar = cpu_to_le32(qp->uar);
	cmd->send_cqn = cpu_to_le32(to_vrnic_cq(init->send_cq)->cqn);
	if (init->qp_type != IB_QPT_XRC_INI)
		cmd->recv_cqn = cpu_to_le32(to_vrnic_cq(init->recv_cq)->cqn);
	if (init->srq)
		cmd->srqn = cpu_to_le32(to_vrnic_srq(init->srq)->srqn);
	cmd->type = init->qp_type;
	cmd->flags = cpu_to_le32(flags);
}

static void vrnic_qp_fill_queues(const struct vrnic_ib_create_qp_req *req,
				 const struct vrnic_memory *memory, struct vrnic_cmd_create_qp *cmd)
{
	cmd->sq_log_size = req->sq_log_size;
	cmd->sq_log_stride = req->sq_log_stride;
	cmd->rq_log_size = req->rq_log_size;
	cmd->rq_log_stride = req->rq_log_stride;
	cmd->sq_offset = cpu_to_le32(req->sq_offset);
	cmd->rq_offset = cpu_to_le32(req->rq_offset);
	cmd->dbrec_offset = cpu_to_le32(req->dbrec_offset);
	cmd->memory = memory->list;
}

/* Makes one of a process in the device; the number is in qp->qpn. So do the next two. */
static int vrnic_qp_make_user(struct vrnic_qp *qp, const struct ib_qp_init_attr *init,
			 struct ib_udata *udata)
{
	struct ib_device *ib = qp->ib.device;
	struct vrnic_cmd_create_qp cmd = {};
	struct vrnic_ib_create_qp_req req;
	int ret;

	ret = vrnic_get_udata(udata, &req, sizeof(req));
	if (ret)
		return ret;
	ret = vrnic_qp_check(ib, init, &req);
	if (ret)
		return ret;
	ret = vrnic_memory_pin(ib, &qp->memory, req.buf_va, req.buf_len, req.buf_va,
			       IB_ACCESS_LOCAL_WRITE);
	if (ret)
		return ret;

	qp->uar = rdma_udata_to_drv_context(udata, struct vrnic_ucontext, ib)->uar;
	vrnic_qp_fill_create(qp, init, &cmd);
	vrnic_qp_fill_queues(&req, &qp->memory, &cmd);
	ret = vrnic_cmd_create_qp(vrnic_of(ib), &cmd, &qp->qpn);
	vrnic_memory_free_tables(ib, &qp->memory);
	if (ret)
		vrnic_memory_release(ib, &qp->memory);
	return ret;
}

static int vrnic_qp_make_kernel(struct vrnic_qp *qp, const struct ib_qp_init_attr *init)
{
	struct vrnic_cmd_create_qp cmd = {};
	int ret;

	vrnic_qp_fill_create(qp, init, &cmd);
	ret = vrnic_kqp_create(qp, init, &cmd);
	if (ret)
		return ret;
	ret = vrnic_cmd_create_qp(vrnic_of(qp->ib.device), &cmd, &qp->qpn);
	if (ret)
		vrnic_kqp_free(qp);
	else
		vrnic_kcq_add(to_vrnic_cq(init->send_cq), to_vrnic_cq(init->recv_cq), qp->kernel);
	return ret;
}

/* Has no queues, and so nothing of a process. */
static int vrnic_qp_make_target(struct vrnic_qp *qp, const struct ib_qp_init_attr *init)
{
	struct vrnic_cmd_create_qp cmd = {
		.type = VRNIC_QPT_XRC_TGT,
		.sq_log_size = VRNIC_NO_QUEUE,
		.rq_log_size = VRNIC_NO_QUEUE,
		.xrcdn = cpu_to_le32(to_vrnic_xrcd(init->xrcd)->xrcdn),
	};

	return vrnic_cmd_create_qp(vrnic_of(qp->ib.device), &cmd, &qp->qpn);
}

static int vrnic_qp_make(struct vrnic_qp *qp, const struct ib_qp_init_attr *init,
			 struct ib_udata *udata)
{
	if (init->qp_type == IB_QPT_XRC_TGT)
		return vrnic_qp_make_target(qp, init);
	return udata ? vrnic_qp_make_user(qp, init, udata) : vrnic_qp_make_kernel(qp, init);
}

/*
 * Under qp_lock: until its completions are gone and it is not found any more,
 * its number is not given to another one.
 */
static void vrnic_qp_unmake(struct vrnic_qp *qp)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(qp->ib.device);

	vrnic_cmd_destroy_qp(vib->dev, qp->qpn);
	if (qp->kernel)
		vrnic_kqp_leave(qp);
	xa_erase(&vib->qps, qp->qpn);
	vrnic_async_sync(vib->dev); /* no event handler has the pointer */
}

static void vrnic_qp_free_queues(struct vrnic_qp *qp)
{
	if (qp->kernel)
		vrnic_kqp_free(qp);
	else if (qp->memory.umem)
		vrnic_memory_release(qp->ib.device, &qp->memory);
}

int vrnic_create_qp(struct ib_qp *ib, struct ib_qp_init_attr *init, struct ib_udata *udata)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(ib->device);
	struct vrnic_qp *qp = to_vrnic_qp(ib);
	struct vrnic_ib_create_qp_resp resp = {};
	int ret;

	ret = vrnic_qp_check_type(ib->device, init, udata ? VRNIC_FOR_USER : VRNIC_FOR_KERNEL);
	if (ret)
		return ret;
	mutex_lock(&vib->qp_lock);
	ret = vrnic_qp_make(qp, init, udata);
	if (ret)
		goto unlock;

	ib->qp_num = qp->qpn;
	qp->state = IB_QPS_RESET;
	qp->cap = init->cap;
	qp->sq_sig_type = init->sq_sig_type;
	ret = xa_insert(&vib->qps, qp->qpn, qp, GFP_KERNEL);
	if (!ret && udata && init->qp_type != IB_QPT_XRC_TGT) {
		resp.qpn = qp->qpn;
		ret = vrnic_put_udata(udata, &resp, sizeof(resp));
	}
	if (ret) {
		vrnic_qp_unmake(qp);
		vrnic_qp_free_queues(qp);
	}
unlock:
	mutex_unlock(&vib->qp_lock);
	return ret;
}

int vrnic_destroy_qp(struct ib_qp *ib, struct ib_udata *udata)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(ib->device);
	struct vrnic_qp *qp = to_vrnic_qp(ib);

	vrnic_streams_end(vib, VRNIC_CONTEXT_QP, qp->qpn);
	vrnic_faults_end(vib, qp->qpn);
	mutex_lock(&vib->qp_lock);
	vrnic_qp_unmake(qp);
	mutex_unlock(&vib->qp_lock);
	vrnic_qp_free_queues(qp);
	return 0;
}

/* ---- modify ---- */

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
		return vrnic_fill_av(&attr->ah_attr,
				     rdma_get_udp_sport(
					     rdma_ah_read_grh(&attr->ah_attr)->flow_label, qp->qpn,
					     qp->dest_qpn),
				     &out->av);
	return 0;
}

/* The queues of a kernel consumer follow the state. */
static void vrnic_qp_entered(struct vrnic_qp *qp, enum ib_qp_state state)
{
	struct ib_event event = {
		.device = qp->ib.device,
		.element.qp = &qp->ib,
		.event = IB_EVENT_QP_LAST_WQE_REACHED,
	};

	if (state == IB_QPS_RESET)
		vrnic_kqp_reset(qp);
	if (state != IB_QPS_ERR)
		return;
	vrnic_kqp_fail(qp);
	/* Who drains a shared receive queue waits for it. */
	if (qp->ib.srq && qp->ib.event_handler && vrnic_is_dead(vrnic_of(qp->ib.device)))
		qp->ib.event_handler(&event, qp->ib.qp_context);
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
	if (ret)
		return ret;
	qp->state = next_state;
	if (qp->kernel && mask & IB_QP_STATE)
		vrnic_qp_entered(qp, next_state);
	return 0;
}

/* ---- query ---- */

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
