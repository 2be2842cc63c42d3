// SPDX-License-Identifier: GPL-2.0
/* Completion queues: of user processes here, of kernel consumers in kernel_cq.c. */
#include <linux/log2.h>

#include "kernel.h"

/* Both in hard interrupt context. */
static void vrnic_cq_completed(struct vrnic_cq_handler *handler)
{
	struct vrnic_cq *cq = container_of(handler, struct vrnic_cq, handler);

	if (cq->kernel)
		vrnic_kcq_event(cq);
	if (cq->ib.comp_handler)
		cq->ib.comp_handler(&cq->ib, cq->ib.cq_context);
}

static void vrnic_cq_failed(struct vrnic_cq_handler *handler, u32 syndrome)
{
	struct vrnic_cq *cq = container_of(handler, struct vrnic_cq, handler);
	struct ib_event event = {
		.device = cq->ib.device,
		.element.cq = &cq->ib,
		.event = IB_EVENT_CQ_ERR,
	};

	if (cq->ib.event_handler)
		cq->ib.event_handler(&event, cq->ib.cq_context);
}

static bool vrnic_cq_size_fits(struct vrnic_dev *dev, u32 entries, u32 log_size)
{
	return log_size <= 31 && 1u << log_size <= le32_to_cpu(vrnic_caps(dev)->max_cq_entries) &&
	       entries && entries <= 1u << log_size;
}

static int vrnic_cq_check(struct vrnic_dev *dev, const struct ib_cq_init_attr *attr, u32 log_size)
{
	/* Every completion has a time stamp. One that finds no place cannot be ignored. */
	if (attr->flags & ~IB_UVERBS_CQ_FLAGS_TIMESTAMP_COMPLETION)
		return -EOPNOTSUPP;
	if (attr->comp_vector >= vrnic_num_completion_eqs(dev))
		return -EINVAL;
	return vrnic_cq_size_fits(dev, attr->cqe, log_size) ? 0 : -EINVAL;
}

/* In the device, and heard of. */
static int vrnic_cq_make(struct vrnic_cq *cq, struct vrnic_cmd_create_cq *cmd, u32 comp_vector)
{
	struct vrnic_dev *dev = vrnic_of(cq->ib.device);
	u32 eqn = 1 + comp_vector;
	int ret;

	cmd->eqn = cpu_to_le32(eqn);
	ret = vrnic_cmd_create_cq(dev, cmd, &cq->cqn);
	if (ret)
		return ret;
	mutex_init(&cq->resize_lock);
	cq->log_size = cmd->log_size;
	cq->ib.cqe = 1 << cmd->log_size;
	cq->handler.complete = vrnic_cq_completed;
	cq->handler.error = vrnic_cq_failed;
	cq->handler.cqn = cq->cqn;
	cq->handler.eqn = eqn;
	ret = vrnic_cq_handler_add(dev, &cq->handler);
	if (ret)
		vrnic_cmd_destroy_cq(dev, cq->cqn);
	return ret;
}

static void vrnic_cq_unmake(struct vrnic_cq *cq)
{
	struct vrnic_dev *dev = vrnic_of(cq->ib.device);

	/* First: once it is destroyed, its number may be another one's. */
	vrnic_streams_end(to_vrnic_ib(cq->ib.device), VRNIC_CONTEXT_CQ, cq->cqn);
	vrnic_cq_handler_remove(dev, &cq->handler);
	vrnic_cmd_destroy_cq(dev, cq->cqn);
}

static int vrnic_create_kernel_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr)
{
	struct vrnic_cq *cq = to_vrnic_cq(ib);
	struct vrnic_cmd_create_cq cmd = {};
	int ret;

	ret = vrnic_cq_check(vrnic_of(ib->device), attr, order_base_2(attr->cqe));
	if (ret)
		return ret;
	ret = vrnic_kcq_create(cq, roundup_pow_of_two(attr->cqe), &cmd);
	if (ret)
		return ret;
	ret = vrnic_cq_make(cq, &cmd, attr->comp_vector);
	if (ret)
		vrnic_kcq_destroy(cq);
	else
		vrnic_kcq_listen(cq);
	return ret;
}

static int vrnic_create_user_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr,
				struct ib_udata *udata)
{
	struct vrnic_ucontext *context =
		rdma_udata_to_drv_context(udata, struct vrnic_ucontext, ib);
	struct vrnic_dev *dev = vrnic_of(ib->device);
	struct vrnic_cq *cq = to_vrnic_cq(ib);
	struct vrnic_ib_create_cq_req req;
	struct vrnic_ib_create_cq_resp resp = {};
	struct vrnic_cmd_create_cq cmd = {};
	int ret;

	ret = vrnic_get_udata(udata, &req, sizeof(req));
	if (ret)
		return ret;
	ret = req.reserved ? -EINVAL : vrnic_cq_check(dev, attr, req.log_size);
	if (ret)
		return ret;
	ret = vrnic_memory_pin(ib->device, &cq->memory, req.buf_va, req.buf_len, req.buf_va,
			       IB_ACCESS_LOCAL_WRITE);
	if (ret)
		return ret;

	cmd.uar = cpu_to_le32(context->uar);
	cmd.log_size = req.log_size;
	cmd.ring_offset = cpu_to_le32(req.ring_offset);
	cmd.dbrec_offset = cpu_to_le32(req.dbrec_offset);
	cmd.memory = cq->memory.list;
	ret = vrnic_cq_make(cq, &cmd, attr->comp_vector);
	vrnic_memory_free_tables(ib->device, &cq->memory);
	if (ret)
		goto release;

	resp.cqn = cq->cqn;
	ret = vrnic_put_udata(udata, &resp, sizeof(resp));
	if (ret)
		goto unmake;
	return 0;

unmake:
	vrnic_cq_unmake(cq);
release:
	vrnic_memory_release(ib->device, &cq->memory);
	return ret;
}

#ifdef VRNIC_HAVE_CREATE_CQ_ATTRS
int vrnic_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr,
		    struct uverbs_attr_bundle *attrs)
{
	return attrs ? vrnic_create_user_cq(ib, attr, &attrs->driver_udata) :
		       vrnic_create_kernel_cq(ib, attr);
}
#else
int vrnic_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr, struct ib_udata *udata)
{
	return udata ? vrnic_create_user_cq(ib, attr, udata) : vrnic_create_kernel_cq(ib, attr);
}
#endif

/*
 * The process gives other memory and does not poll meanwhile; the device copies
 * what is there.
 */
int vrnic_resize_cq(struct ib_cq *ib, int entries, struct ib_udata *udata)
{
	struct vrnic_dev *dev = vrnic_of(ib->device);
	struct vrnic_cq *cq = to_vrnic_cq(ib);
	struct vrnic_ib_resize_cq_req req;
	struct vrnic_cmd_resize_cq cmd = {};
	struct vrnic_memory memory;
	int ret;

	if (!udata)
		return -EOPNOTSUPP; /* no kernel consumer asks */
	ret = vrnic_get_udata(udata, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || entries < 1 || !vrnic_cq_size_fits(dev, entries, req.log_size))
		return -EINVAL;
	ret = vrnic_memory_pin(ib->device, &memory, req.buf_va, req.buf_len, req.buf_va,
			       IB_ACCESS_LOCAL_WRITE);
	if (ret)
		return ret;

	cmd.cqn = cpu_to_le32(cq->cqn);
	cmd.log_size = req.log_size;
	cmd.ring_offset = cpu_to_le32(req.ring_offset);
	cmd.dbrec_offset = cpu_to_le32(req.dbrec_offset);
	cmd.memory = memory.list;
	mutex_lock(&cq->resize_lock);
	ret = vrnic_cmd_resize_cq(dev, &cmd);
	vrnic_memory_free_tables(ib->device, &memory);
	if (!ret) {
		swap(cq->memory, memory);
		cq->log_size = req.log_size;
		ib->cqe = 1 << req.log_size;
	}
	mutex_unlock(&cq->resize_lock);
	vrnic_memory_release(ib->device, &memory); /* the one that is not used now */
	return ret;
}

int vrnic_modify_cq(struct ib_cq *ib, u16 count, u16 period)
{
	struct vrnic_cmd_moderate_cq cmd = {
		.cqn = cpu_to_le32(to_vrnic_cq(ib)->cqn),
		.count = cpu_to_le32(count),
		.period = cpu_to_le32(period),
	};

	return vrnic_cmd_moderate_cq(vrnic_of(ib->device), &cmd);
}

int vrnic_destroy_cq(struct ib_cq *ib, struct ib_udata *udata)
{
	struct vrnic_cq *cq = to_vrnic_cq(ib);

	vrnic_cq_unmake(cq);
	if (cq->kernel)
		vrnic_kcq_destroy(cq);
	else
		vrnic_memory_release(ib->device, &cq->memory);
	return 0;
}
