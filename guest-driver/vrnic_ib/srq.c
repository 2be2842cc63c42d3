// SPDX-License-Identifier: GPL-2.0
/* Shared receive queues, ordinary ones and those of XRC domains. Entries: kernel_srq.c, or the process. */
#include <linux/log2.h>

#include "kernel.h"

static int vrnic_srq_check(struct vrnic_dev *dev, const struct ib_srq_init_attr *init)
{
	const struct vrnic_device_caps *caps = vrnic_caps(dev);

	if (init->srq_type != IB_SRQT_BASIC && init->srq_type != IB_SRQT_XRC)
		return -EOPNOTSUPP;
	if (!init->attr.max_wr ||
	    init->attr.max_wr > le32_to_cpu(caps->max_srq_entries) || init->attr.max_sge > le32_to_cpu(caps->max_recv_sge) ||
	    init->attr.srq_limit > init->attr.max_wr)
		return -EINVAL;
	return 0;
}

static void vrnic_srq_fill_create(const struct vrnic_srq *srq, const struct ib_srq_init_attr *init,
				  struct vrnic_cmd_create_srq *cmd)
{
	cmd->pdn = cpu_to_le32(to_vrnic_pd(srq->ib.pd)->pdn);
	if (init->srq_type == IB_SRQT_XRC) {
		cmd->xrcdn = cpu_to_le32(to_vrnic_xrcd(init->ext.xrc.xrcd)->xrcdn);
		cmd->cqn = cpu_to_le32(to_vrnic_cq(init->ext.cq)->cqn);
	}
}

/* The ring of a process. */
static int vrnic_srq_take_ring(struct vrnic_srq *srq, const struct ib_srq_init_attr *init,
			       struct ib_udata *udata, struct vrnic_cmd_create_srq *cmd)
{
	const struct vrnic_device_caps *caps = vrnic_caps(vrnic_of(srq->ib.device));
	struct vrnic_ib_create_srq_req req;
	int ret;

	ret = vrnic_get_udata(udata, &req, sizeof(req));
	if (ret)
		return ret;
	if (memchr_inv(req.reserved, 0, sizeof(req.reserved)) ||
	    !vrnic_queue_fits(req.log_size, req.log_stride, init->attr.max_wr,
			      le32_to_cpu(caps->max_srq_entries), VRNIC_RQE_STRIDE_MIN_LOG,
			      VRNIC_RQE_STRIDE_MAX_LOG))
		return -EINVAL;
	ret = vrnic_memory_pin(srq->ib.device, &srq->memory, req.buf_va, req.buf_len, req.buf_va,
			       IB_ACCESS_LOCAL_WRITE);
	if (ret)
		return ret;
	cmd->log_size = req.log_size;
	cmd->log_stride = req.log_stride;
	cmd->ring_offset = cpu_to_le32(req.ring_offset);
	cmd->dbrec_offset = cpu_to_le32(req.dbrec_offset);
	cmd->memory = srq->memory.list;
	return 0;
}

static void vrnic_srq_free_ring(struct vrnic_srq *srq)
{
	if (srq->kernel)
		vrnic_ksrq_free(srq);
	else
		vrnic_memory_release(srq->ib.device, &srq->memory);
}

static int vrnic_srq_set_limit(struct vrnic_srq *srq, u32 limit)
{
	struct vrnic_cmd_modify_srq cmd = {
		.srqn = cpu_to_le32(srq->srqn),
		.limit = cpu_to_le32(limit),
	};

	return vrnic_cmd_modify_srq(vrnic_of(srq->ib.device), &cmd);
}

int vrnic_create_srq(struct ib_srq *ib, struct ib_srq_init_attr *init, struct ib_udata *udata)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(ib->device);
	struct vrnic_srq *srq = to_vrnic_srq(ib);
	struct vrnic_ib_create_srq_resp resp = {};
	struct vrnic_cmd_create_srq cmd = {};
	int ret;

	if (!vrnic_offers(ib->device, VRNIC_CAP_SRQ, "shared receive queues"))
		return -EOPNOTSUPP;
	ret = vrnic_srq_check(vib->dev, init);
	if (ret)
		return ret;
	ret = udata ? vrnic_srq_take_ring(srq, init, udata, &cmd) :
		      vrnic_ksrq_create(srq, init, &cmd);
	if (ret)
		return ret;

	vrnic_srq_fill_create(srq, init, &cmd);
	ret = vrnic_cmd_create_srq(vib->dev, &cmd, &srq->srqn);
	vrnic_memory_free_tables(ib->device, &srq->memory);
	if (ret)
		goto free_ring;

	mutex_init(&srq->resize_lock);
	srq->max_wr = udata ? 1u << cmd.log_size : init->attr.max_wr;
	srq->max_sge = init->attr.max_sge;
	if (init->srq_type == IB_SRQT_XRC)
		ib->ext.xrc.srq_num = srq->srqn;
	ret = xa_insert(&vib->srqs, srq->srqn, srq, GFP_KERNEL);
	if (ret)
		goto destroy;
	if (init->attr.srq_limit) {
		ret = vrnic_srq_set_limit(srq, init->attr.srq_limit);
		if (ret)
			goto erase;
	}
	if (!udata)
		return 0;
	resp.srqn = srq->srqn;
	ret = vrnic_put_udata(udata, &resp, sizeof(resp));
	if (ret)
		goto erase;
	return 0;

erase:
	xa_erase(&vib->srqs, srq->srqn);
	vrnic_async_sync(vib->dev);
destroy:
	vrnic_cmd_destroy_srq(vib->dev, srq->srqn);
free_ring:
	vrnic_srq_free_ring(srq);
	return ret;
}

/* The process gives other memory and does not post meanwhile; the device copies what is there. */
static int vrnic_srq_resize(struct vrnic_srq *srq, u32 max_wr, struct ib_udata *udata)
{
	struct vrnic_dev *dev = vrnic_of(srq->ib.device);
	struct vrnic_ib_modify_srq_req req;
	struct vrnic_cmd_resize_srq cmd = {};
	struct vrnic_memory memory;
	int ret;

	if (!udata)
		return -EOPNOTSUPP; /* no kernel consumer asks */
	ret = vrnic_get_udata(udata, &req, sizeof(req));
	if (ret)
		return ret;
	if (!max_wr || memchr_inv(req.reserved, 0, sizeof(req.reserved)) || req.log_size > 31 ||
	    1u << req.log_size > le32_to_cpu(vrnic_caps(dev)->max_srq_entries) ||
	    max_wr > 1u << req.log_size)
		return -EINVAL;
	ret = vrnic_memory_pin(srq->ib.device, &memory, req.buf_va, req.buf_len, req.buf_va,
			       IB_ACCESS_LOCAL_WRITE);
	if (ret)
		return ret;

	cmd.srqn = cpu_to_le32(srq->srqn);
	cmd.log_size = req.log_size;
	cmd.ring_offset = cpu_to_le32(req.ring_offset);
	cmd.dbrec_offset = cpu_to_le32(req.dbrec_offset);
	cmd.memory = memory.list;
	mutex_lock(&srq->resize_lock);
	ret = vrnic_cmd_resize_srq(dev, &cmd);
	vrnic_memory_free_tables(srq->ib.device, &memory);
	if (!ret) {
		swap(srq->memory, memory);
		srq->max_wr = 1u << req.log_size;
	}
	mutex_unlock(&srq->resize_lock);
	vrnic_memory_release(srq->ib.device, &memory); /* the one that is not used now */
	return ret;
}

int vrnic_modify_srq(struct ib_srq *ib, struct ib_srq_attr *attr, enum ib_srq_attr_mask mask,
		     struct ib_udata *udata)
{
	struct vrnic_srq *srq = to_vrnic_srq(ib);
	int ret;

	if (mask & IB_SRQ_MAX_WR) {
		ret = vrnic_srq_resize(srq, attr->max_wr, udata);
		if (ret)
			return ret;
	}
	if (!(mask & IB_SRQ_LIMIT))
		return 0;
	if (attr->srq_limit > srq->max_wr)
		return -EINVAL;
	return vrnic_srq_set_limit(srq, attr->srq_limit);
}

int vrnic_query_srq(struct ib_srq *ib, struct ib_srq_attr *attr)
{
	struct vrnic_srq *srq = to_vrnic_srq(ib);
	struct vrnic_resp_query_srq resp;
	int ret;

	ret = vrnic_cmd_query_srq(vrnic_of(ib->device), srq->srqn, &resp);
	if (ret)
		return ret;
	attr->max_wr = srq->max_wr;
	attr->max_sge = srq->max_sge;
	attr->srq_limit = le32_to_cpu(resp.limit);
	return 0;
}

int vrnic_destroy_srq(struct ib_srq *ib, struct ib_udata *udata)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(ib->device);
	struct vrnic_srq *srq = to_vrnic_srq(ib);

	/* First: once it is destroyed, its number may be another one's. */
	vrnic_streams_end(vib, VRNIC_CONTEXT_SRQ, srq->srqn);
	xa_erase(&vib->srqs, srq->srqn);
	vrnic_async_sync(vib->dev); /* no event handler has the pointer */
	vrnic_cmd_destroy_srq(vib->dev, srq->srqn);
	vrnic_srq_free_ring(srq);
	return 0;
}
