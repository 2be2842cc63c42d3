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
#include <rdma/ib_user_ioctl_cmds.h>
#include <stdio.h>
#include <stdlib.h>

/* A kernel command is the core's part followed at once by the driver's. */
#define CHECK_ADJACENT(type, driver_member, core_type)                                             \
	_Static_assert(offsetof(type, driver_member) == sizeof(core_type),                         \
		       "padding between the core's and the driver's part of " #type)

_Static_assert(sizeof(struct verbs_cq) <= VRNIC_VERBS_CQ_SPACE, "enlarge VRNIC_VERBS_CQ_SPACE");
_Static_assert(sizeof(struct verbs_qp) <= VRNIC_VERBS_QP_SPACE, "enlarge VRNIC_VERBS_QP_SPACE");
_Static_assert(sizeof(struct verbs_srq) <= VRNIC_VERBS_SRQ_SPACE, "enlarge VRNIC_VERBS_SRQ_SPACE");

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

int glue_cmd_query_context(struct verbs_context *context, struct vrnic_ib_alloc_ucontext_resp *resp)
{
	DECLARE_COMMAND_BUFFER(driver, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_CONTEXT, 1);

	fill_attr_out_ptr(driver, VRNIC_IB_ATTR_QUERY_CONTEXT_RESP, resp);
	return ibv_cmd_query_context(&context->context, driver);
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

/*
 * Of a command that ends something. The kernel refuses all commands of a context
 * whose device is gone, but has then ended everything itself.
 */
static int unless_gone(struct ibv_context *context, int ret)
{
	return ret == EIO && vrnic_context_is_gone(context) ? 0 : ret;
}

/* ---- protection domains, address handles ---- */

/* ib_uverbs_alloc_pd_resp is four bytes: the driver's part follows unaligned. */
struct alloc_pd_resp {
	struct ib_uverbs_alloc_pd_resp core;
	struct vrnic_ib_alloc_pd_resp driver;
} __attribute__((packed, aligned(4)));
CHECK_ADJACENT(struct alloc_pd_resp, driver, struct ib_uverbs_alloc_pd_resp);

int glue_cmd_alloc_pd(struct ibv_context *context, struct ibv_pd *pd)
{
	struct ibv_alloc_pd cmd;
	struct alloc_pd_resp resp;

	return ibv_cmd_alloc_pd(context, pd, &cmd, sizeof(cmd), &resp.core, sizeof(resp));
}

int glue_cmd_dealloc_pd(struct ibv_pd *pd)
{
	return unless_gone(pd->context, ibv_cmd_dealloc_pd(pd));
}

/* As above. */
struct create_ah_resp {
	struct ib_uverbs_create_ah_resp core;
	struct vrnic_ib_create_ah_resp driver;
} __attribute__((packed, aligned(4)));
CHECK_ADJACENT(struct create_ah_resp, driver, struct ib_uverbs_create_ah_resp);

int glue_cmd_create_ah(struct ibv_pd *pd, struct ibv_ah *ah, struct ibv_ah_attr *attr,
		       struct vrnic_ib_create_ah_resp *resp)
{
	struct create_ah_resp out = {};
	int ret = ibv_cmd_create_ah(pd, ah, attr, &out.core, sizeof(out));

	*resp = out.driver;
	return ret;
}

int glue_cmd_destroy_ah(struct ibv_ah *ah)
{
	return unless_gone(ah->context, ibv_cmd_destroy_ah(ah));
}

/* ---- memory regions and windows, XRC domains: nothing of ours beside the kernel's objects ---- */

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

/*
 * The command is built here: ibv_cmd_reg_dmabuf_mr() got another argument in
 * release 54 while the number of the private interface stayed.
 */
static struct ibv_mr *reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length,
				    uint64_t iova, int fd, int access)
{
	DECLARE_COMMAND_BUFFER(cmd, UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR, 9);
	struct verbs_mr *mr = calloc(1, sizeof(*mr));
	struct ib_uverbs_attr *handle;

	if (!mr)
		return NULL;
	handle = fill_attr_out_obj(cmd, UVERBS_ATTR_REG_DMABUF_MR_HANDLE);
	fill_attr_out_ptr(cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_LKEY, &mr->ibv_mr.lkey);
	fill_attr_out_ptr(cmd, UVERBS_ATTR_REG_DMABUF_MR_RESP_RKEY, &mr->ibv_mr.rkey);
	fill_attr_in_obj(cmd, UVERBS_ATTR_REG_DMABUF_MR_PD_HANDLE, pd->handle);
	fill_attr_in_uint64(cmd, UVERBS_ATTR_REG_DMABUF_MR_OFFSET, offset);
	fill_attr_in_uint64(cmd, UVERBS_ATTR_REG_DMABUF_MR_LENGTH, length);
	fill_attr_in_uint64(cmd, UVERBS_ATTR_REG_DMABUF_MR_IOVA, iova);
	fill_attr_in_uint32(cmd, UVERBS_ATTR_REG_DMABUF_MR_FD, fd);
	fill_attr_in_uint32(cmd, UVERBS_ATTR_REG_DMABUF_MR_ACCESS_FLAGS, access);
	if (execute_ioctl(pd->context, cmd)) {
		free(mr);
		return NULL;
	}
	mr->ibv_mr.handle = read_attr_obj(UVERBS_ATTR_REG_DMABUF_MR_HANDLE, handle);
	mr->ibv_mr.context = pd->context;
	mr->ibv_mr.pd = pd;
	mr->ibv_mr.addr = (void *)(uintptr_t)offset;
	mr->ibv_mr.length = length;
	mr->mr_type = IBV_MR_TYPE_DMABUF_MR;
	return &mr->ibv_mr;
}

static struct ibv_mr *import_mr(struct ibv_pd *pd, uint32_t handle)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));
	int ret;

	if (!mr)
		return NULL;
	ret = ibv_cmd_query_mr(pd, mr, handle);
	if (ret) {
		free(mr);
		errno = ret;
		return NULL;
	}
	return &mr->ibv_mr;
}

static void unimport_mr(struct ibv_mr *mr)
{
	free(verbs_get_mr(mr));
}

static int dereg_mr(struct verbs_mr *mr)
{
	int ret = unless_gone(mr->ibv_mr.context, ibv_cmd_dereg_mr(mr));

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
	int ret = unless_gone(mw->context, ibv_cmd_dealloc_mw(mw));

	if (!ret)
		free(mw);
	return ret;
}

static struct ibv_xrcd *open_xrcd(struct ibv_context *context, struct ibv_xrcd_init_attr *attr)
{
	struct ibv_open_xrcd cmd = {};
	struct ib_uverbs_open_xrcd_resp resp = {};
	struct verbs_xrcd *xrcd = calloc(1, sizeof(*xrcd));
	int ret;

	if (!xrcd)
		return NULL;
	ret = ibv_cmd_open_xrcd(context, xrcd, sizeof(*xrcd), attr, &cmd, sizeof(cmd), &resp,
				sizeof(resp));
	if (ret) {
		free(xrcd);
		errno = ret;
		return NULL;
	}
	return &xrcd->xrcd;
}

static int close_xrcd(struct ibv_xrcd *ib)
{
	struct verbs_xrcd *xrcd = container_of(ib, struct verbs_xrcd, xrcd);
	int ret = unless_gone(ib->context, ibv_cmd_close_xrcd(xrcd));

	if (!ret)
		free(xrcd);
	return ret;
}

/* ---- completion queues ---- */

struct create_cq_cmd {
	struct ibv_create_cq_ex core;
	struct vrnic_ib_create_cq_req driver;
};
CHECK_ADJACENT(struct create_cq_cmd, driver, struct ibv_create_cq_ex);

struct create_cq_resp {
	struct ib_uverbs_ex_create_cq_resp core;
	struct vrnic_ib_create_cq_resp driver;
};
CHECK_ADJACENT(struct create_cq_resp, driver, struct ib_uverbs_ex_create_cq_resp);

int glue_cmd_create_cq(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
		       struct ibv_cq *cq, const struct vrnic_ib_create_cq_req *req,
		       struct vrnic_ib_create_cq_resp *resp)
{
	struct create_cq_cmd cmd = { .driver = *req };
	struct create_cq_resp out = {};
	int ret = ibv_cmd_create_cq_ex(context, attr, (struct verbs_cq *)cq, &cmd.core, sizeof(cmd),
				       &out.core, sizeof(out), 0);

	*resp = out.driver;
	return ret;
}

struct resize_cq_cmd {
	struct ibv_resize_cq core;
	struct vrnic_ib_resize_cq_req driver;
};
CHECK_ADJACENT(struct resize_cq_cmd, driver, struct ibv_resize_cq);

int glue_cmd_resize_cq(struct ibv_cq *cq, int cqe, const struct vrnic_ib_resize_cq_req *req)
{
	struct resize_cq_cmd cmd = { .driver = *req };
	struct ib_uverbs_resize_cq_resp resp = {};

	return ibv_cmd_resize_cq(cq, cqe, &cmd.core, sizeof(cmd), &resp, sizeof(resp));
}

int glue_cmd_destroy_cq(struct ibv_cq *cq)
{
	return unless_gone(cq->context, ibv_cmd_destroy_cq(cq));
}

static int modify_cq(struct ibv_cq *cq, struct ibv_modify_cq_attr *attr)
{
	struct ibv_modify_cq cmd = {};

	return ibv_cmd_modify_cq(cq, attr, &cmd, sizeof(cmd));
}

/* ---- shared receive queues ---- */

struct create_srq_cmd {
	struct ibv_create_xsrq core;
	struct vrnic_ib_create_srq_req driver;
};
CHECK_ADJACENT(struct create_srq_cmd, driver, struct ibv_create_xsrq);

struct create_srq_resp {
	struct ib_uverbs_create_srq_resp core;
	struct vrnic_ib_create_srq_resp driver;
};
CHECK_ADJACENT(struct create_srq_resp, driver, struct ib_uverbs_create_srq_resp);

int glue_cmd_create_srq(struct ibv_context *context, struct ibv_srq *srq,
			struct ibv_srq_init_attr_ex *attr,
			const struct vrnic_ib_create_srq_req *req,
			struct vrnic_ib_create_srq_resp *resp)
{
	struct create_srq_cmd cmd = { .driver = *req };
	struct create_srq_resp out = {};
	int ret = ibv_cmd_create_srq_ex(context, (struct verbs_srq *)srq, attr, &cmd.core,
					sizeof(cmd), &out.core, sizeof(out));

	*resp = out.driver;
	return ret;
}

int glue_cmd_destroy_srq(struct ibv_srq *srq)
{
	return unless_gone(srq->context, ibv_cmd_destroy_srq(srq));
}

struct modify_srq_cmd {
	struct ibv_modify_srq core;
	struct vrnic_ib_modify_srq_req driver;
};
CHECK_ADJACENT(struct modify_srq_cmd, driver, struct ibv_modify_srq);

int glue_cmd_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask,
			const struct vrnic_ib_modify_srq_req *req)
{
	struct modify_srq_cmd cmd = {};

	if (req)
		cmd.driver = *req;
	return ibv_cmd_modify_srq(srq, attr, mask, &cmd.core, req ? sizeof(cmd) : sizeof(cmd.core));
}

static int query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr)
{
	struct ibv_query_srq cmd = {};

	return ibv_cmd_query_srq(srq, attr, &cmd, sizeof(cmd));
}

/* ---- queue pairs ---- */

struct create_qp_cmd {
	struct ibv_create_qp_ex core;
	struct vrnic_ib_create_qp_req driver;
};
CHECK_ADJACENT(struct create_qp_cmd, driver, struct ibv_create_qp_ex);

struct create_qp_resp {
	struct ib_uverbs_ex_create_qp_resp core;
	struct vrnic_ib_create_qp_resp driver;
};
CHECK_ADJACENT(struct create_qp_resp, driver, struct ib_uverbs_ex_create_qp_resp);

int glue_cmd_create_qp(struct ibv_context *context, struct ibv_qp *qp,
		       struct ibv_qp_init_attr_ex *attr, const struct vrnic_ib_create_qp_req *req,
		       struct vrnic_ib_create_qp_resp *resp)
{
	struct create_qp_cmd cmd = {};
	struct create_qp_resp out = {};
	int ret;

	if (req)
		cmd.driver = *req;
	ret = ibv_cmd_create_qp_ex2(context, (struct verbs_qp *)qp, attr, &cmd.core,
				    req ? sizeof(cmd) : sizeof(cmd.core), &out.core,
				    resp ? sizeof(out) : sizeof(out.core));
	if (resp)
		*resp = out.driver;
	return ret;
}

int glue_cmd_open_qp(struct ibv_context *context, struct ibv_qp *qp, struct ibv_qp_open_attr *attr)
{
	struct ibv_open_qp cmd = {};
	struct ib_uverbs_create_qp_resp resp = {};

	return ibv_cmd_open_qp(context, (struct verbs_qp *)qp, sizeof(struct verbs_qp), attr, &cmd,
			       sizeof(cmd), &resp, sizeof(resp));
}

/*
 * Release 45 put wr_flush at the end of ibv_qp_ex, without a new number of the
 * private interface, and so moved comp_mask, which lies behind it in verbs_qp.
 * Where it is in the library that runs, the library tells.
 */
static bool comp_mask_is_behind_flush(void)
{
	struct verbs_qp probe = { .comp_mask = VERBS_QP_EX };

	return ibv_qp_to_qp_ex(&probe.qp) != NULL;
}

bool glue_mark_qp_extended(struct ibv_qp *qp)
{
	bool has_flush = comp_mask_is_behind_flush();
	uint32_t *comp_mask = (void *)((char *)qp + (has_flush ? offsetof(struct verbs_qp, comp_mask) :
								  offsetof(struct ibv_qp_ex, wr_flush)));

	*comp_mask |= VERBS_QP_EX;
	return has_flush;
}

int glue_cmd_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask)
{
	struct ibv_modify_qp cmd = {};
	int ret = ibv_cmd_modify_qp(qp, attr, attr_mask, &cmd, sizeof(cmd));

	/* Who gives up what is posted may: it is flushed. */
	if (attr_mask & IBV_QP_STATE && attr->qp_state == IBV_QPS_ERR) {
		ret = unless_gone(qp->context, ret);
		if (!ret)
			qp->state = IBV_QPS_ERR;
	}
	return ret;
}

static int detach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	return unless_gone(qp->context, ibv_cmd_detach_mcast(qp, gid, lid));
}

int glue_cmd_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
		      struct ibv_qp_init_attr *init_attr)
{
	struct ibv_query_qp cmd;

	return ibv_cmd_query_qp(qp, attr, attr_mask, init_attr, &cmd, sizeof(cmd));
}

int glue_cmd_destroy_qp(struct ibv_qp *qp)
{
	return unless_gone(qp->context, ibv_cmd_destroy_qp(qp));
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
	.alloc_parent_domain = vrnic_alloc_parent_domain,
	.alloc_pd = vrnic_alloc_pd,
	.alloc_td = vrnic_alloc_td,
	.async_event = vrnic_async_event,
	.attach_mcast = ibv_cmd_attach_mcast,
	.bind_mw = vrnic_bind_mw,
	.close_xrcd = close_xrcd,
	.cq_event = vrnic_cq_event,
	.create_ah = vrnic_create_ah,
	.create_cq = vrnic_create_cq,
	.create_cq_ex = vrnic_create_cq_ex,
	.create_qp = vrnic_create_qp,
	.create_qp_ex = vrnic_create_qp_ex,
	.create_srq = vrnic_create_srq,
	.create_srq_ex = vrnic_create_srq_ex,
	.dealloc_mw = dealloc_mw,
	.dealloc_pd = vrnic_dealloc_pd,
	.dealloc_td = vrnic_dealloc_td,
	.dereg_mr = dereg_mr,
	.destroy_ah = vrnic_destroy_ah,
	.destroy_cq = vrnic_destroy_cq,
	.destroy_qp = vrnic_destroy_qp,
	.destroy_srq = vrnic_destroy_srq,
	.detach_mcast = detach_mcast,
	.free_context = vrnic_free_context,
	.get_srq_num = vrnic_get_srq_num,
	.import_mr = import_mr,
	.import_pd = vrnic_import_pd,
	.modify_cq = modify_cq,
	.modify_qp = vrnic_modify_qp,
	.modify_srq = vrnic_modify_srq,
	.open_qp = vrnic_open_qp,
	.open_xrcd = open_xrcd,
	.poll_cq = vrnic_poll_cq,
	.post_recv = vrnic_post_recv,
	.post_send = vrnic_post_send,
	.post_srq_recv = vrnic_post_srq_recv,
	.query_device_ex = query_device_ex,
	.query_port = query_port,
	.query_qp = vrnic_query_qp,
	.query_rt_values = vrnic_query_rt_values,
	.query_srq = query_srq,
	.reg_dmabuf_mr = reg_dmabuf_mr,
	.reg_mr = reg_mr,
	.req_notify_cq = vrnic_req_notify_cq,
	.rereg_mr = rereg_mr,
	.resize_cq = vrnic_resize_cq,
	.unimport_mr = unimport_mr,
	.unimport_pd = vrnic_unimport_pd,
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
	.import_context = vrnic_import_context,
};

static __attribute__((constructor)) void register_provider(void)
{
	verbs_register_driver(&device_ops);
}
