/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The border between the two halves of the provider.
 *
 * rdma-core's private headers are C only. verbs_glue.c includes them, registers
 * the provider and wraps the ibv_cmd_* calls; everything else is C++ and sees
 * only the public <infiniband/verbs.h> and this file. Nothing here decides
 * anything: layout, checks and state are the C++ side's.
 */
#ifndef VRNIC_VERBS_GLUE_H
#define VRNIC_VERBS_GLUE_H

#include <infiniband/verbs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vrnic-abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Room, in bytes, at the start of our CQ, QP and SRQ objects for libibverbs' own
 * private base object. verbs_glue.c checks that it is enough.
 */
#define VRNIC_VERBS_CQ_SPACE 320
#define VRNIC_VERBS_QP_SPACE 400
#define VRNIC_VERBS_SRQ_SPACE 192

/* ---- C++ calls C: one kernel command each. 0, or an errno value. ---- */

/* Zeroed memory of `size` bytes that begins with an initialised verbs_context; NULL and errno. */
struct verbs_context *glue_new_context(struct ibv_device *device, int cmd_fd, size_t size);
/* Undoes glue_new_context and frees the memory. */
void glue_free_context(struct verbs_context *context);
/* Sets the operations once the context is ready for calls. */
void glue_set_ops(struct verbs_context *context);

int glue_cmd_get_context(struct verbs_context *context, struct vrnic_ib_alloc_ucontext_resp *resp);
/* Of a context that somebody else opened (ibv_import_device(3)). */
int glue_cmd_query_context(struct verbs_context *context,
			   struct vrnic_ib_alloc_ucontext_resp *resp);
int glue_cmd_alloc_pd(struct ibv_context *context, struct ibv_pd *pd);
int glue_cmd_dealloc_pd(struct ibv_pd *pd);
int glue_cmd_create_ah(struct ibv_pd *pd, struct ibv_ah *ah, struct ibv_ah_attr *attr,
		       struct vrnic_ib_create_ah_resp *resp);
int glue_cmd_destroy_ah(struct ibv_ah *ah);

int glue_cmd_create_cq(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
		       struct ibv_cq *cq, const struct vrnic_ib_create_cq_req *req,
		       struct vrnic_ib_create_cq_resp *resp);
int glue_cmd_resize_cq(struct ibv_cq *cq, int cqe, const struct vrnic_ib_resize_cq_req *req);
int glue_cmd_destroy_cq(struct ibv_cq *cq);

/* Of an ordinary one or of XRC, as attr says. */
int glue_cmd_create_srq(struct ibv_context *context, struct ibv_srq *srq,
			struct ibv_srq_init_attr_ex *attr,
			const struct vrnic_ib_create_srq_req *req,
			struct vrnic_ib_create_srq_resp *resp);
/* req is NULL when the size stays. */
int glue_cmd_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask,
			const struct vrnic_ib_modify_srq_req *req);
int glue_cmd_destroy_srq(struct ibv_srq *srq);

/* req and resp are NULL for IBV_QPT_XRC_RECV. */
int glue_cmd_create_qp(struct ibv_context *context, struct ibv_qp *qp,
		       struct ibv_qp_init_attr_ex *attr, const struct vrnic_ib_create_qp_req *req,
		       struct vrnic_ib_create_qp_resp *resp);
int glue_cmd_open_qp(struct ibv_context *context, struct ibv_qp *qp, struct ibv_qp_open_attr *attr);
int glue_cmd_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask);
int glue_cmd_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
		      struct ibv_qp_init_attr *init_attr);
int glue_cmd_destroy_qp(struct ibv_qp *qp);

/*
 * Lets ibv_qp_to_qp_ex(3) give the QP out, once it is created. False: the
 * running libibverbs knows no FLUSH, and its ibv_qp_ex ends before wr_flush.
 */
bool glue_mark_qp_extended(struct ibv_qp *qp);

/* Keeps the range out of forked children (or lets it in again), when the process asked for that. */
int glue_dontfork(void *base, size_t size);
void glue_dofork(void *base, size_t size);

/* ---- C calls C++: the operations that libibverbs is given. ---- */

struct verbs_context *vrnic_alloc_context(struct ibv_device *device, int cmd_fd);
struct verbs_context *vrnic_import_context(struct ibv_device *device, int cmd_fd);
void vrnic_free_context(struct ibv_context *context);
/* The kernel has taken the device and all objects away: what ends one has nothing to do there. */
bool vrnic_context_is_gone(struct ibv_context *context);
void vrnic_async_event(struct ibv_context *context, struct ibv_async_event *event);

int vrnic_query_rt_values(struct ibv_context *context, struct ibv_values_ex *values);

struct ibv_pd *vrnic_alloc_pd(struct ibv_context *context);
int vrnic_dealloc_pd(struct ibv_pd *pd);
struct ibv_pd *vrnic_import_pd(struct ibv_context *context, uint32_t handle);
void vrnic_unimport_pd(struct ibv_pd *pd);
struct ibv_td *vrnic_alloc_td(struct ibv_context *context, struct ibv_td_init_attr *attr);
int vrnic_dealloc_td(struct ibv_td *td);
struct ibv_pd *vrnic_alloc_parent_domain(struct ibv_context *context,
					 struct ibv_parent_domain_init_attr *attr);
struct ibv_ah *vrnic_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr);
int vrnic_destroy_ah(struct ibv_ah *ah);

struct ibv_cq *vrnic_create_cq(struct ibv_context *context, int cqe,
			       struct ibv_comp_channel *channel, int comp_vector);
struct ibv_cq_ex *vrnic_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr);
int vrnic_resize_cq(struct ibv_cq *cq, int cqe);
int vrnic_destroy_cq(struct ibv_cq *cq);
int vrnic_req_notify_cq(struct ibv_cq *cq, int solicited_only);
void vrnic_cq_event(struct ibv_cq *cq);
int vrnic_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc);

struct ibv_srq *vrnic_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr);
struct ibv_srq *vrnic_create_srq_ex(struct ibv_context *context, struct ibv_srq_init_attr_ex *attr);
int vrnic_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask);
int vrnic_get_srq_num(struct ibv_srq *srq, uint32_t *number);
int vrnic_destroy_srq(struct ibv_srq *srq);
int vrnic_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad_wr);

int vrnic_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind);

struct ibv_qp *vrnic_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
struct ibv_qp *vrnic_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr);
struct ibv_qp *vrnic_open_qp(struct ibv_context *context, struct ibv_qp_open_attr *attr);
int vrnic_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask);
int vrnic_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
		   struct ibv_qp_init_attr *init_attr);
int vrnic_destroy_qp(struct ibv_qp *qp);
int vrnic_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad_wr);
int vrnic_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad_wr);

#ifdef __cplusplus
}
#endif

#endif
