/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * libvrnic: what a vrnic device can do that verbs have no words for. Objects are those of libibverbs, made
 * as always; structures are those of vrnic's ABI, little-endian as the device has them.
 *
 * Functions that return int give 0 or an errno value; those that make something give NULL and set errno.
 * Errors of all: ENOTTY, EINVAL: the device is none of vrnic; EOPNOTSUPP, EPROTONOSUPPORT: its driver or the
 * device is older than this; EIO: the device is gone; EFAULT: a pointer is wrong. More are told at each.
 * Any thread; who destroys an object must be its last user.
 */
#ifndef VRNICDV_H
#define VRNICDV_H

#include <infiniband/verbs.h>

#include "vrnic_objects.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What can be asked: each type of object with its methods, and their attributes. *count: room in types on entry;
 * on return how many there are, which may be more than were filled. types may be NULL when *count is 0.
 */
int vrnicdv_query_types(struct ibv_context *context, struct vrnic_ib_type *types, uint32_t *count);

/* ---- objects as the device holds them, at this moment ---- */

int vrnicdv_query_device(struct ibv_context *context, struct vrnic_device_caps *caps);
int vrnicdv_query_port(struct ibv_context *context, struct vrnic_port_context *port);
int vrnicdv_query_pd(struct ibv_pd *pd, struct vrnic_domain_context *out);
int vrnicdv_query_cq(struct ibv_cq *cq, struct vrnic_cq_context *out);
int vrnicdv_query_srq(struct ibv_srq *srq, struct vrnic_srq_context *out);
int vrnicdv_query_qp(struct ibv_qp *qp, struct vrnic_qp_context *out);
int vrnicdv_query_mr(struct ibv_mr *mr, struct vrnic_key_context *out);
int vrnicdv_query_mw(struct ibv_mw *mw, struct vrnic_key_context *out);
/* The address vector that goes into each request: no object of the device. */
int vrnicdv_query_ah(struct ibv_ah *ah, struct vrnic_av *out);
/*
 * Anybody's, by number. type: VRNIC_CONTEXT_*; out has one of the structures of vrnic_contexts.h.
 * EPERM: without CAP_NET_ADMIN. ENOENT: there is none of this number. EINVAL: no such type.
 */
int vrnicdv_query_object(struct ibv_context *context, uint32_t type, uint32_t number,
			 struct vrnic_ib_context *out);

/* ---- faults ---- */

struct vrnicdv_fault;

/*
 * From now on things go wrong as the rule says (vrnic_fault.h). With a qp the rule is about that queue pair alone,
 * whatever its qpn says, and ends with it. Without one EPERM: without CAP_NET_ADMIN.
 * EINVAL: the rule says what its kind has no use for. ENOMEM: there are too many rules.
 */
struct vrnicdv_fault *vrnicdv_create_fault(struct ibv_context *context,
					   const struct vrnic_fault_rule *rule, struct ibv_qp *qp);
/* Either may be NULL. ENODEV: its queue pair is gone. */
int vrnicdv_query_fault(struct vrnicdv_fault *fault, struct vrnic_fault_rule *rule,
			struct vrnic_fault_context *counted);
/* Another rule about the same, counting from 0. Errors as of creating, and ENODEV. */
int vrnicdv_modify_fault(struct vrnicdv_fault *fault, const struct vrnic_fault_rule *rule);
/* The same rule counts from 0 again. */
int vrnicdv_restart_fault(struct vrnicdv_fault *fault);
/* The memory is free afterwards, whatever is returned; with the device gone that is 0. */
int vrnicdv_destroy_fault(struct vrnicdv_fault *fault);

#ifdef __cplusplus
}
#endif

#endif /* VRNICDV_H */
