/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * What needs rdma-core's private headers: registration, the table of operations
 * and the kernel commands. See verbs_glue.h.
 *
 * The private interface is numbered (IBVERBS_PRIVATE_34). Only calls that have
 * not changed within that number are used, so that one source serves every
 * rdma-core release that has it.
 */
#include "verbs_glue.h"

#include <errno.h>
#include <infiniband/driver.h>
#include <stdio.h>
#include <stdlib.h>

/* A kernel command is the core's part followed at once by the driver's. */
#define CHECK_ADJACENT(type, driver_member, core_type)                                             \
	_Static_assert(offsetof(type, driver_member) == sizeof(core_type),                         \
		       "padding between the core's and the driver's part of " #type)

_Static_assert(sizeof(struct verbs_cq) <= VRNIC_VERBS_CQ_SPACE, "enlarge VRNIC_VERBS_CQ_SPACE");
_Static_assert(sizeof(struct verbs_qp) <= VRNIC_VERBS_QP_SPACE, "enlarge VRNIC_VERBS_QP_SPACE");

/* ---- context ---- */

struct get_context_cmd {
	struct ibv_get_context core;
	struct vrnic_ib_alloc_ucontext_req driver;
};
CHECK_ADJACENT(struct get_context_cmd, driver, struct ibv_get_context);

struct get_context_resp {
	struct ib_uverbs_get_context_resp core;
	struct vrnic_ib_alloc_ucontext_resp driver;
};
CHECK_ADJACENT(struct get_context_resp, driver, struct ib_uverbs_get_context_resp);

struct verbs_context *glue_new_context(struct ibv_device *device, int cmd_fd, size_t size)
{
	return _verbs_init_and_alloc_context(device, cmd_fd, size, NULL, VRNIC_UVERBS_DRIVER_ID);
}

void glue_free_context(struct verbs_context *context)
{
	verbs_uninit_context(context);
	free(context);
}

int glue_cmd_get_context(struct verbs_context *context, struct vrnic_ib_alloc_ucontext_resp *resp)
{
	struct get_context_cmd cmd = {};
	struct get_context_resp out = {};
	int ret = ibv_cmd_get_context(context, &cmd.core, sizeof(cmd), &out.core, sizeof(out));

	*resp = out.driver;
	return ret;
}

static int query_device_ex(struct ibv_context *context,
			   const struct ibv_query_device_ex_input *input,
			   struct ibv_device_attr_ex *attr, size_t attr_size)
{
	struct ib_uverbs_ex_query_device_resp resp;
	size_t resp_size = sizeof(resp);
	uint64_t fw;
	int ret = ibv_cmd_query_device_any(context, input, attr, attr_size, &resp, &resp_size);

	if (ret)
		return ret;
	fw = resp.base.fw_ver; /* as the driver gives it: major << 32 | minor << 16 | patch */
	snprintf(attr->orig_attr.fw_ver, sizeof(attr->orig_attr.fw_ver), "%u.%u.%u",
		 (unsigned)(fw >> 32), (unsigned)(fw >> 16 & 0xffff), (unsigned)(fw & 0xffff));
	return 0;
}

static int query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	struct ibv_query_port cmd;

	return ibv_cmd_query_port(context, port, attr, &cmd, sizeof(cmd));
}

/* ---- protection domains and memory regions: nothing of ours beside the kernel's objects ---- */

/* ib_uverbs_alloc_pd_resp is four bytes: the driver's part follows unaligned. */
struct alloc_pd_resp {
	struct ib_uverbs_alloc_pd_resp core;
	struct vrnic_ib_alloc_pd_resp driver;
} __attribute__((packed, aligned(4)));
CHECK_ADJACENT(struct alloc_pd_resp, driver, struct ib_uverbs_alloc_pd_resp);

static struct ibv_pd *alloc_pd(struct ibv_context *context)
{
	struct ibv_alloc_pd cmd;
	struct alloc_pd_resp resp;
	struct ibv_pd *pd = calloc(1, sizeof(*pd));
	int ret;

	if (!pd)
		return NULL;
	ret = ibv_cmd_alloc_pd(context, pd, &cmd, sizeof(cmd), &resp.core, sizeof(resp));
	if (ret) {
		free(pd);
		errno = ret;
		return NULL;
	}
	return pd;
}

static int dealloc_pd(struct ibv_pd *pd)
{
	int ret = ibv_cmd_dealloc_pd(pd);

	if (!ret)
		free(pd);
	return ret;
}

static struct ibv_mr *reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
			     int access)
{
	struct ibv_reg_mr cmd;
	struct ib_uverbs_reg_mr_resp resp;
	struct verbs_mr *mr = calloc(1, sizeof(*mr));
	int ret;

	if (!mr)
		return NULL;
	ret = ibv_cmd_reg_mr(pd, addr, length, hca_va, access, mr, &cmd, sizeof(cmd), &resp,
			     sizeof(resp));
	if (ret) {
		free(mr);
		errno = ret;
		return NULL;
	}
	return &mr->ibv_mr;
}

static int dereg_mr(struct verbs_mr *mr)
{
	int ret = ibv_cmd_dereg_mr(mr);

	if (!ret)
		free(mr);
	return ret;
}

static int rereg_mr(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr, size_t length,
		    int access)
{
	struct ibv_rereg_mr cmd;
	struct ib_uverbs_rereg_mr_resp resp;

	return ibv_cmd_rereg_mr(mr, flags, addr, length, (uintptr_t)addr, access, pd, &cmd,
				sizeof(cmd), &resp, sizeof(resp));
}

static struct ibv_mw *alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type)
{
	struct ibv_alloc_mw cmd;
	struct ib_uverbs_alloc_mw_resp resp;
	struct ibv_mw *mw = calloc(1, sizeof(*mw));
	int ret;

	if (!mw)
		return NULL;
	ret = ibv_cmd_alloc_mw(pd, type, mw, &cmd, sizeof(cmd), &resp, sizeof(resp));
	if (ret) {
		free(mw);
		errno = ret;
		return NULL;
	}
	return mw;
}

static int dealloc_mw(struct ibv_mw *mw)
{
	int ret = ibv_cmd_dealloc_mw(mw);

	if (!ret)
		free(mw);
	return ret;
}

/* ---- completion queues ---- */

struct create_cq_cmd {
	struct ibv_create_cq core;
	struct vrnic_ib_create_cq_req driver;
};
CHECK_ADJACENT(struct create_cq_cmd, driver, struct ibv_create_cq);

struct create_cq_resp {
	struct ib_uverbs_create_cq_resp core;
	struct vrnic_ib_create_cq_resp driver;
};
CHECK_ADJACENT(struct create_cq_resp, driver, struct ib_uverbs_create_cq_resp);

int glue_cmd_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
		       int comp_vector, struct ibv_cq *cq,
		       const struct vrnic_ib_create_cq_req *req,
		       struct vrnic_ib_create_cq_resp *resp)
{
	struct create_cq_cmd cmd = { .driver = *req };
	struct create_cq_resp out = {};
	int ret = ibv_cmd_create_cq(context, cqe, channel, comp_vector, cq, &cmd.core, sizeof(cmd),
				    &out.core, sizeof(out));

	*resp = out.driver;
	return ret;
}

int glue_cmd_destroy_cq(struct ibv_cq *cq)
{
	return ibv_cmd_destroy_cq(cq);
}

/* ---- queue pairs ---- */

struct create_qp_cmd {
	struct ibv_create_qp core;
	struct vrnic_ib_create_qp_req driver;
};
CHECK_ADJACENT(struct create_qp_cmd, driver, struct ibv_create_qp);

struct create_qp_resp {
	struct ib_uverbs_create_qp_resp core;
	struct vrnic_ib_create_qp_resp driver;
};
CHECK_ADJACENT(struct create_qp_resp, driver, struct ib_uverbs_create_qp_resp);

int glue_cmd_create_qp(struct ibv_pd *pd, struct ibv_qp *qp, struct ibv_qp_init_attr *attr,
		       const struct vrnic_ib_create_qp_req *req,
		       struct vrnic_ib_create_qp_resp *resp)
{
	struct create_qp_cmd cmd = { .driver = *req };
	struct create_qp_resp out = {};
	int ret = ibv_cmd_create_qp(pd, qp, attr, &cmd.core, sizeof(cmd), &out.core, sizeof(out));

	*resp = out.driver;
	return ret;
}

int glue_cmd_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask)
{
	struct ibv_modify_qp cmd = {};

	return ibv_cmd_modify_qp(qp, attr, attr_mask, &cmd, sizeof(cmd));
}

int glue_cmd_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
		      struct ibv_qp_init_attr *init_attr)
{
	struct ibv_query_qp cmd;

	return ibv_cmd_query_qp(qp, attr, attr_mask, init_attr, &cmd, sizeof(cmd));
}

int glue_cmd_destroy_qp(struct ibv_qp *qp)
{
	return ibv_cmd_destroy_qp(qp);
}

/* ---- memory ---- */

int glue_dontfork(void *base, size_t size)
{
	return ibv_dontfork_range(base, size);
}

void glue_dofork(void *base, size_t size)
{
	ibv_dofork_range(base, size);
}

/* ---- registration ---- */

static const struct verbs_context_ops context_ops = {
	.alloc_mw = alloc_mw,
	.alloc_pd = alloc_pd,
	.async_event = vrnic_async_event,
	.bind_mw = vrnic_bind_mw,
	.cq_event = vrnic_cq_event,
	.create_cq = vrnic_create_cq,
	.create_qp = vrnic_create_qp,
	.dealloc_mw = dealloc_mw,
	.dealloc_pd = dealloc_pd,
	.dereg_mr = dereg_mr,
	.destroy_cq = vrnic_destroy_cq,
	.destroy_qp = vrnic_destroy_qp,
	.free_context = vrnic_free_context,
	.modify_qp = vrnic_modify_qp,
	.poll_cq = vrnic_poll_cq,
	.post_recv = vrnic_post_recv,
	.post_send = vrnic_post_send,
	.query_device_ex = query_device_ex,
	.query_port = query_port,
	.query_qp = vrnic_query_qp,
	.reg_mr = reg_mr,
	.req_notify_cq = vrnic_req_notify_cq,
	.rereg_mr = rereg_mr,
};

void glue_set_ops(struct verbs_context *context)
{
	verbs_set_ops(context, &context_ops);
}

static struct verbs_context *alloc_context(struct ibv_device *device, int cmd_fd,
					   void *private_data)
{
	(void)private_data;
	return vrnic_alloc_context(device, cmd_fd);
}

static struct verbs_device *alloc_device(struct verbs_sysfs_dev *sysfs_dev)
{
	(void)sysfs_dev;
	return calloc(1, sizeof(struct verbs_device));
}

static void uninit_device(struct verbs_device *device)
{
	free(device);
}

static const struct verbs_match_ent match_table[] = {
	VERBS_DRIVER_ID(VRNIC_UVERBS_DRIVER_ID),
	{},
};

static const struct verbs_device_ops device_ops = {
	.name = "vrnic",
	.match_min_abi_version = VRNIC_UVERBS_ABI_VERSION,
	.match_max_abi_version = VRNIC_UVERBS_ABI_VERSION,
	.match_table = match_table,
	.alloc_device = alloc_device,
	.uninit_device = uninit_device,
	.alloc_context = alloc_context,
};

static __attribute__((constructor)) void register_provider(void)
{
	verbs_register_driver(&device_ops);
}
