// SPDX-License-Identifier: GPL-2.0
/* One function per admin command. */
#include "vrnic.h"

void vrnic_contiguous(struct vrnic_page_list *list, dma_addr_t addr, size_t size)
{
	memset(list, 0, sizeof(*list));
	list->addr = cpu_to_le64(addr);
	list->num_pages = cpu_to_le32(DIV_ROUND_UP(size, 1 << VRNIC_PAGE_SHIFT_MIN));
	list->page_shift = VRNIC_PAGE_SHIFT_MIN;
}
EXPORT_SYMBOL_GPL(vrnic_contiguous);

static int vrnic_exec_new_handle(struct vrnic_dev *dev, u16 opcode, const void *cmd, size_t size,
				 u32 *handle)
{
	struct vrnic_resp_handle resp;
	int ret;

	ret = vrnic_admin_exec(dev, opcode, cmd, size, &resp, sizeof(resp));
	if (!ret)
		*handle = le32_to_cpu(resp.handle);
	return ret;
}

static int vrnic_exec_on_handle(struct vrnic_dev *dev, u16 opcode, u32 handle)
{
	struct vrnic_cmd_handle cmd = { .handle = cpu_to_le32(handle) };

	return vrnic_admin_exec(dev, opcode, &cmd, sizeof(cmd), NULL, 0);
}

/* A destroy that the device refuses leaves it with memory we are about to free. */
static int vrnic_exec_destroyed(struct vrnic_dev *dev, u16 opcode, u32 handle, int ret)
{
	if (ret && ret != -EIO) {
		vrnic_err(dev, "command 0x%02x of object %u failed: %d\n", opcode, handle, ret);
		vrnic_kill(dev, "a destroy failed");
		ret = -EIO;
	}
	return ret;
}

static int vrnic_exec_destroy(struct vrnic_dev *dev, u16 opcode, u32 handle)
{
	return vrnic_exec_destroyed(dev, opcode, handle, vrnic_exec_on_handle(dev, opcode, handle));
}

int vrnic_cmd_query_device(struct vrnic_dev *dev)
{
	const struct vrnic_cmd_query cmd = {
		.addr = cpu_to_le64(dev->caps_dma),
		.length = cpu_to_le32(sizeof(*dev->caps)),
	};

	return vrnic_admin_exec(dev, VRNIC_ADMIN_QUERY_DEVICE, &cmd, sizeof(cmd), NULL, 0);
}

/* values: VRNIC_NUM_COUNTERS of them, in the order of VRNIC_COUNTERS; of a set, or VRNIC_COUNTERS_*. */
int vrnic_cmd_query_counters(struct vrnic_dev *dev, u32 counters, u64 *values)
{
	const struct vrnic_cmd_query_counters cmd = {
		.answer.addr = cpu_to_le64(dev->answer_dma),
		.answer.length = cpu_to_le32(sizeof(dev->answer->counters)),
		.counters = cpu_to_le32(counters),
	};
	const vrnic_le64 *raw = (const vrnic_le64 *)&dev->answer->counters;
	unsigned int i;
	int ret;

	mutex_lock(&dev->answer_lock);
	ret = vrnic_admin_exec(dev, VRNIC_ADMIN_QUERY_COUNTERS, &cmd, sizeof(cmd), NULL, 0);
	for (i = 0; !ret && i < VRNIC_NUM_COUNTERS; i++)
		values[i] = le64_to_cpu(raw[i]);
	mutex_unlock(&dev->answer_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vrnic_cmd_query_counters);

/* Any object as the device holds it; type: VRNIC_CONTEXT_*. What is longer than size is cut. */
int vrnic_cmd_query_object(struct vrnic_dev *dev, u32 type, u32 number, void *context, size_t size)
{
	const struct vrnic_cmd_query_object cmd = {
		.answer.addr = cpu_to_le64(dev->answer_dma),
		.answer.length = cpu_to_le32(sizeof(dev->answer->context)),
		.type = cpu_to_le32(type),
		.number = cpu_to_le32(number),
	};
	int ret;

	if (WARN_ON_ONCE(size > sizeof(dev->answer->context)))
		return -EINVAL;
	mutex_lock(&dev->answer_lock);
	memset(dev->answer->context, 0, sizeof(dev->answer->context));
	ret = vrnic_admin_exec(dev, VRNIC_ADMIN_QUERY_OBJECT, &cmd, sizeof(cmd), NULL, 0);
	if (!ret)
		memcpy(context, dev->answer->context, size);
	mutex_unlock(&dev->answer_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vrnic_cmd_query_object);

int vrnic_cmd_call_object(struct vrnic_dev *dev, u32 type, u32 number, u32 operation)
{
	const struct vrnic_cmd_call_object cmd = {
		.type = cpu_to_le32(type),
		.number = cpu_to_le32(number),
		.operation = cpu_to_le32(operation),
	};

	return vrnic_admin_exec(dev, VRNIC_ADMIN_CALL_OBJECT, &cmd, sizeof(cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_call_object);

int vrnic_cmd_create_fault(struct vrnic_dev *dev, const struct vrnic_fault_rule *rule, u32 *handle)
{
	const struct vrnic_cmd_create_fault cmd = { .rule = *rule };

	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_CREATE_FAULT, &cmd, sizeof(cmd), handle);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_create_fault);

int vrnic_cmd_modify_fault(struct vrnic_dev *dev, u32 handle, const struct vrnic_fault_rule *rule)
{
	const struct vrnic_cmd_modify_fault cmd = {
		.handle = cpu_to_le32(handle),
		.rule = *rule,
	};

	return vrnic_admin_exec(dev, VRNIC_ADMIN_MODIFY_FAULT, &cmd, sizeof(cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_modify_fault);

/* No memory of ours is in a rule: one that could not be ended may be left to the device. */
int vrnic_cmd_destroy_fault(struct vrnic_dev *dev, u32 handle)
{
	return vrnic_exec_on_handle(dev, VRNIC_ADMIN_DESTROY_FAULT, handle);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_destroy_fault);

int vrnic_cmd_create_stream(struct vrnic_dev *dev, const struct vrnic_cmd_create_stream *cmd,
			    u32 *handle)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_CREATE_STREAM, cmd, sizeof(*cmd), handle);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_create_stream);

int vrnic_cmd_destroy_stream(struct vrnic_dev *dev, u32 handle)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DESTROY_STREAM, handle);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_destroy_stream);

int vrnic_cmd_modify_stream(struct vrnic_dev *dev, const struct vrnic_cmd_modify_stream *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_MODIFY_STREAM, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_modify_stream);

int vrnic_cmd_watch(struct vrnic_dev *dev, const struct vrnic_cmd_watch *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_WATCH, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_watch);

int vrnic_cmd_create_eq(struct vrnic_dev *dev, const struct vrnic_cmd_create_eq *cmd)
{
	struct vrnic_resp_handle resp;

	return vrnic_admin_exec(dev, VRNIC_ADMIN_CREATE_EQ, cmd, sizeof(*cmd), &resp, sizeof(resp));
}

int vrnic_cmd_destroy_eq(struct vrnic_dev *dev, u32 eqn)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DESTROY_EQ, eqn);
}

int vrnic_cmd_alloc_uar(struct vrnic_dev *dev, u32 *uar)
{
	int ret = vrnic_exec_new_handle(dev, VRNIC_ADMIN_ALLOC_UAR, NULL, 0, uar);

	if (!ret && (*uar == 0 || *uar >= dev->doorbell_slots)) {
		vrnic_kill(dev, "doorbell slot out of range");
		ret = -EIO;
	}
	return ret;
}
EXPORT_SYMBOL_GPL(vrnic_cmd_alloc_uar);

int vrnic_cmd_free_uar(struct vrnic_dev *dev, u32 uar)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_FREE_UAR, uar);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_free_uar);

int vrnic_cmd_create_eth_queue(struct vrnic_dev *dev, const struct vrnic_cmd_create_eth_queue *cmd,
			       u32 *number)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_CREATE_ETH_QUEUE, cmd, sizeof(*cmd), number);
}

int vrnic_cmd_destroy_eth_queue(struct vrnic_dev *dev, u32 number)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DESTROY_ETH_QUEUE, number);
}

int vrnic_cmd_set_port(struct vrnic_dev *dev, const struct vrnic_cmd_set_port *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_SET_PORT, cmd, sizeof(*cmd), NULL, 0);
}

int vrnic_cmd_alloc_pd(struct vrnic_dev *dev, u32 *pdn)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_ALLOC_PD, NULL, 0, pdn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_alloc_pd);

int vrnic_cmd_dealloc_pd(struct vrnic_dev *dev, u32 pdn)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DEALLOC_PD, pdn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_dealloc_pd);

int vrnic_cmd_set_gid(struct vrnic_dev *dev, const struct vrnic_cmd_set_gid *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_SET_GID, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_set_gid);

int vrnic_cmd_reg_mr(struct vrnic_dev *dev, const struct vrnic_cmd_reg_mr *cmd, u32 *key)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_REG_MR, cmd, sizeof(*cmd), key);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_reg_mr);

int vrnic_cmd_rereg_mr(struct vrnic_dev *dev, const struct vrnic_cmd_rereg_mr *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_REREG_MR, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_rereg_mr);

/* -EBUSY: memory windows are bound to it. */
int vrnic_cmd_dereg_mr(struct vrnic_dev *dev, u32 key)
{
	int ret = vrnic_exec_on_handle(dev, VRNIC_ADMIN_DEREG_MR, key);

	return ret == -EBUSY ? ret : vrnic_exec_destroyed(dev, VRNIC_ADMIN_DEREG_MR, key, ret);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_dereg_mr);

int vrnic_cmd_revoke_mr(struct vrnic_dev *dev, u32 key)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_REVOKE_MR, key);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_revoke_mr);

int vrnic_cmd_alloc_dma_mr(struct vrnic_dev *dev, const struct vrnic_cmd_alloc_dma_mr *cmd, u32 *key)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_ALLOC_DMA_MR, cmd, sizeof(*cmd), key);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_alloc_dma_mr);

int vrnic_cmd_alloc_fast_mr(struct vrnic_dev *dev, const struct vrnic_cmd_alloc_fast_mr *cmd,
			    u32 *key)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_ALLOC_FAST_MR, cmd, sizeof(*cmd), key);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_alloc_fast_mr);

int vrnic_cmd_alloc_mw(struct vrnic_dev *dev, const struct vrnic_cmd_alloc_mw *cmd, u32 *key)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_ALLOC_MW, cmd, sizeof(*cmd), key);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_alloc_mw);

int vrnic_cmd_dealloc_mw(struct vrnic_dev *dev, u32 key)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DEALLOC_MW, key);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_dealloc_mw);

int vrnic_cmd_create_cq(struct vrnic_dev *dev, const struct vrnic_cmd_create_cq *cmd, u32 *cqn)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_CREATE_CQ, cmd, sizeof(*cmd), cqn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_create_cq);

int vrnic_cmd_destroy_cq(struct vrnic_dev *dev, u32 cqn)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DESTROY_CQ, cqn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_destroy_cq);

int vrnic_cmd_resize_cq(struct vrnic_dev *dev, const struct vrnic_cmd_resize_cq *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_RESIZE_CQ, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_resize_cq);

int vrnic_cmd_moderate_cq(struct vrnic_dev *dev, const struct vrnic_cmd_moderate_cq *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_MODERATE_CQ, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_moderate_cq);

int vrnic_cmd_create_qp(struct vrnic_dev *dev, const struct vrnic_cmd_create_qp *cmd, u32 *qpn)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_CREATE_QP, cmd, sizeof(*cmd), qpn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_create_qp);

int vrnic_cmd_modify_qp(struct vrnic_dev *dev, const struct vrnic_cmd_modify_qp *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_MODIFY_QP, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_modify_qp);

int vrnic_cmd_query_qp(struct vrnic_dev *dev, u32 qpn, struct vrnic_qp_attr *attr)
{
	struct vrnic_cmd_handle cmd = { .handle = cpu_to_le32(qpn) };
	struct vrnic_resp_query_qp resp;
	int ret;

	ret = vrnic_admin_exec(dev, VRNIC_ADMIN_QUERY_QP, &cmd, sizeof(cmd), &resp, sizeof(resp));
	if (!ret)
		*attr = resp.attr;
	return ret;
}
EXPORT_SYMBOL_GPL(vrnic_cmd_query_qp);

int vrnic_cmd_destroy_qp(struct vrnic_dev *dev, u32 qpn)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DESTROY_QP, qpn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_destroy_qp);

int vrnic_cmd_attach_mcast(struct vrnic_dev *dev, const struct vrnic_cmd_mcast *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_ATTACH_MCAST, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_attach_mcast);

int vrnic_cmd_detach_mcast(struct vrnic_dev *dev, const struct vrnic_cmd_mcast *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_DETACH_MCAST, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_detach_mcast);

int vrnic_cmd_alloc_xrcd(struct vrnic_dev *dev, u32 *xrcdn)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_ALLOC_XRCD, NULL, 0, xrcdn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_alloc_xrcd);

int vrnic_cmd_dealloc_xrcd(struct vrnic_dev *dev, u32 xrcdn)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DEALLOC_XRCD, xrcdn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_dealloc_xrcd);

int vrnic_cmd_create_srq(struct vrnic_dev *dev, const struct vrnic_cmd_create_srq *cmd, u32 *srqn)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_CREATE_SRQ, cmd, sizeof(*cmd), srqn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_create_srq);

int vrnic_cmd_modify_srq(struct vrnic_dev *dev, const struct vrnic_cmd_modify_srq *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_MODIFY_SRQ, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_modify_srq);

int vrnic_cmd_resize_srq(struct vrnic_dev *dev, const struct vrnic_cmd_resize_srq *cmd)
{
	return vrnic_admin_exec(dev, VRNIC_ADMIN_RESIZE_SRQ, cmd, sizeof(*cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_resize_srq);

int vrnic_cmd_query_srq(struct vrnic_dev *dev, u32 srqn, struct vrnic_resp_query_srq *resp)
{
	struct vrnic_cmd_handle cmd = { .handle = cpu_to_le32(srqn) };

	return vrnic_admin_exec(dev, VRNIC_ADMIN_QUERY_SRQ, &cmd, sizeof(cmd), resp, sizeof(*resp));
}
EXPORT_SYMBOL_GPL(vrnic_cmd_query_srq);

int vrnic_cmd_destroy_srq(struct vrnic_dev *dev, u32 srqn)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DESTROY_SRQ, srqn);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_destroy_srq);

int vrnic_cmd_create_counters(struct vrnic_dev *dev, u32 *counters)
{
	return vrnic_exec_new_handle(dev, VRNIC_ADMIN_CREATE_COUNTERS, NULL, 0, counters);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_create_counters);

int vrnic_cmd_destroy_counters(struct vrnic_dev *dev, u32 counters)
{
	return vrnic_exec_destroy(dev, VRNIC_ADMIN_DESTROY_COUNTERS, counters);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_destroy_counters);

int vrnic_cmd_bind_counters(struct vrnic_dev *dev, u32 qpn, u32 counters)
{
	const struct vrnic_cmd_bind_counters cmd = {
		.qpn = cpu_to_le32(qpn),
		.counters = cpu_to_le32(counters),
	};

	return vrnic_admin_exec(dev, VRNIC_ADMIN_BIND_COUNTERS, &cmd, sizeof(cmd), NULL, 0);
}
EXPORT_SYMBOL_GPL(vrnic_cmd_bind_counters);
