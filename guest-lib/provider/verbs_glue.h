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
#include <stddef.h>
#include <stdint.h>

#include "vrnic-abi.h"

#ifdef __cplusplus
extern "C" {
#endif

struct verbs_mr; /* private to libibverbs */

/*
 * Room, in bytes, at the start of our CQ and QP objects for libibverbs' own
 * private base object. verbs_glue.c checks that it is enough.
 */
#define VRNIC_VERBS_CQ_SPACE 320
#define VRNIC_VERBS_QP_SPACE 384

/* ---- C++ calls C: one kernel command each. 0, or an errno value. ---- */

/* Zeroed memory of `size` bytes that begins with an initialised verbs_context; NULL and errno. */
struct verbs_context *glue_new_context(struct ibv_device *device, int cmd_fd, size_t size);
/* Undoes glue_new_context and frees the memory. */
void glue_free_context(struct verbs_context *context);
/* Sets the operations once the context is ready for calls. */
void glue_set_ops(struct verbs_context *context);

int glue_cmd_get_context(struct verbs_context *context, struct vrnic_ib_alloc_ucontext_resp *resp);
int glue_cmd_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
		       int comp_vector, struct ibv_cq *cq,
		       const struct vrnic_ib_create_cq_req *req,
		       struct vrnic_ib_create_cq_resp *resp);
int glue_cmd_destroy_cq(struct ibv_cq *cq);
int glue_cmd_create_qp(struct ibv_pd *pd, struct ibv_qp *qp, struct ibv_qp_init_attr *attr,
		       const struct vrnic_ib_create_qp_req *req,
		       struct vrnic_ib_create_qp_resp *resp);
int glue_cmd_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask);
int glue_cmd_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
		      struct ibv_qp_init_attr *init_attr);
int glue_cmd_destroy_qp(struct ibv_qp *qp);

/* Keeps the range out of forked children (or lets it in again), when the process asked for that. */
int glue_dontfork(void *base, size_t size);
void glue_dofork(void *base, size_t size);

/* ---- C calls C++: the operations that libibverbs is given. ---- */

struct verbs_context *vrnic_alloc_context(struct ibv_device *device, int cmd_fd);
void vrnic_free_context(struct ibv_context *context);
void vrnic_async_event(struct ibv_context *context, struct ibv_async_event *event);

struct ibv_cq *vrnic_create_cq(struct ibv_context *context, int cqe,
			       struct ibv_comp_channel *channel, int comp_vector);
int vrnic_destroy_cq(struct ibv_cq *cq);
int vrnic_req_notify_cq(struct ibv_cq *cq, int solicited_only);
void vrnic_cq_event(struct ibv_cq *cq);
int vrnic_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc);

int vrnic_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind);

struct ibv_qp *vrnic_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
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
