// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/mm.h>
#include <rdma/ib_cache.h>

#include "pair.h"

static void op_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct op *op = container_of(wc->wr_cqe, struct op, cqe);

	op->wc = *wc;
	complete(&op->done);
}

void op_init(struct op *op)
{
	op->cqe.done = op_done;
	init_completion(&op->done);
}

bool op_wait(struct pair *pair, struct op *op)
{
	unsigned long end = jiffies + 5 * HZ;

	if (pair->context != IB_POLL_DIRECT)
		return wait_for_completion_timeout(&op->done, 5 * HZ);
	while (!try_wait_for_completion(&op->done)) {
		if (time_after(jiffies, end))
			return false;
		ib_process_cq_direct(pair->cq, -1);
		usleep_range(50, 100);
	}
	return true;
}

/* ---- one queue pair ---- */

static struct ib_qp *make_qp(struct pair *pair, enum ib_qp_type type, struct ib_srq *srq)
{
	struct ib_qp_init_attr init = {
		.send_cq = pair->cq,
		.recv_cq = pair->cq,
		.srq = srq,
		.cap = {
			.max_send_wr = PAIR_DEPTH,
			.max_recv_wr = srq ? 0 : PAIR_DEPTH,
			.max_send_sge = PAIR_SGES,
			.max_recv_sge = srq ? 0 : PAIR_SGES,
			.max_inline_data = PAIR_INLINE,
		},
		.qp_type = type,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
	};
	struct ib_qp *qp = ib_create_qp(pair->pd, &init);

	return IS_ERR(qp) ? NULL : qp;
}

static int connect_qp(struct pair *pair, struct ib_qp *qp, u32 to, u8 rnr_retry)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE |
				   IB_ACCESS_REMOTE_ATOMIC,
		.path_mtu = IB_MTU_1024,
		.dest_qp_num = to,
		.max_dest_rd_atomic = 4,
		.max_rd_atomic = 4,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = rnr_retry,
		.ah_attr = pair->to_self,
	};
	int ret;

	ret = ib_modify_qp(qp, &attr,
			   IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS);
	if (ret)
		return ret;
	attr.qp_state = IB_QPS_RTR;
	ret = ib_modify_qp(qp, &attr,
			   IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN |
				   IB_QP_RQ_PSN | IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
	if (ret)
		return ret;
	attr.qp_state = IB_QPS_RTS;
	return ib_modify_qp(qp, &attr,
			    IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
				    IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
}

static int start_datagrams(struct ib_qp *qp)
{
	struct ib_qp_attr attr = { .qp_state = IB_QPS_INIT, .port_num = 1, .qkey = PAIR_QKEY };
	int ret;

	ret = ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_QKEY);
	attr.qp_state = IB_QPS_RTR;
	ret = ret ?: ib_modify_qp(qp, &attr, IB_QP_STATE);
	attr.qp_state = IB_QPS_RTS;
	return ret ?: ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_SQ_PSN);
}

/* ---- the pair ---- */

/* Kernel consumers give the destination's MAC address themselves; here it is our own. */
static int find_self(struct pair *pair, int gid_index)
{
	const struct ib_gid_attr *gid = rdma_get_gid_attr(pair->ib, 1, gid_index);
	int ret;

	if (IS_ERR(gid))
		return PTR_ERR(gid);
	pair->to_self.type = rdma_ah_find_type(pair->ib, 1);
	rdma_ah_set_port_num(&pair->to_self, 1);
	rdma_ah_set_grh(&pair->to_self, (union ib_gid *)&gid->gid, 0, gid_index, 64, 0);
	ret = rdma_read_gid_l2_fields(gid, NULL, pair->to_self.roce.dmac);
	rdma_put_gid_attr(gid);
	return ret;
}

static int connect_both(struct pair *pair, const struct pair_setup *setup)
{
	if (setup->type == IB_QPT_UD)
		return start_datagrams(pair->left) ?: start_datagrams(pair->right);
	return connect_qp(pair, pair->left, pair->right->qp_num, setup->rnr_retry) ?:
		       connect_qp(pair, pair->right, pair->left->qp_num, setup->rnr_retry);
}

const char *pair_create(struct pair *pair, struct ib_device *ib, int gid_index,
			const struct pair_setup *setup)
{
	enum ib_qp_type type = setup->type ?: IB_QPT_RC;

	memset(pair, 0, sizeof(*pair));
	pair->ib = ib;
	pair->context = setup->context;
	if (find_self(pair, gid_index))
		return "no GID of that index";
	pair->pd = ib_alloc_pd(ib, 0);
	if (IS_ERR(pair->pd))
		return "no protection domain";
	pair->cq = ib_alloc_cq(ib, NULL, 4 * PAIR_DEPTH, setup->vector, setup->context);
	if (IS_ERR(pair->cq))
		return "no completion queue";
	if (setup->moderation && rdma_set_cq_moderation(pair->cq, 4, 500))
		return "no moderation";
	if (setup->srq) {
		struct ib_srq_init_attr init = {
			.attr = { .max_wr = PAIR_DEPTH, .max_sge = 1 },
			.srq_type = IB_SRQT_BASIC,
		};

		pair->srq = ib_create_srq(pair->pd, &init);
		if (IS_ERR(pair->srq))
			return "no shared receive queue";
	}
	pair->left = make_qp(pair, type, NULL);
	pair->right = make_qp(pair, type, pair->srq);
	if (!pair->left || !pair->right)
		return "no queue pair";
	if (connect_both(pair, setup))
		return "the queue pairs do not reach RTS";
	pair->cpu = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, PAIR_ORDER);
	if (!pair->cpu)
		return "no memory";
	pair->dma = ib_dma_map_single(ib, pair->cpu, 2 * PAIR_HALF, DMA_BIDIRECTIONAL);
	if (ib_dma_mapping_error(ib, pair->dma)) {
		free_pages((unsigned long)pair->cpu, PAIR_ORDER);
		pair->cpu = NULL;
		return "no DMA mapping";
	}
	return NULL;
}

void pair_destroy(struct pair *pair)
{
	if (pair->left)
		ib_destroy_qp(pair->left);
	if (pair->right)
		ib_destroy_qp(pair->right);
	if (!IS_ERR_OR_NULL(pair->srq))
		ib_destroy_srq(pair->srq);
	if (!IS_ERR_OR_NULL(pair->cq))
		ib_free_cq(pair->cq);
	if (pair->cpu) {
		ib_dma_unmap_single(pair->ib, pair->dma, 2 * PAIR_HALF, DMA_BIDIRECTIONAL);
		free_pages((unsigned long)pair->cpu, PAIR_ORDER);
	}
	if (!IS_ERR_OR_NULL(pair->pd))
		ib_dealloc_pd(pair->pd);
}
