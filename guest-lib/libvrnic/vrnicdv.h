/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * libvrnic: what a vrnic device can do that verbs have no words for. Objects are those of libibverbs, made
 * as always; structures are those of vrnic's ABI, little-endian as the device has them.
 *
 * Functions that return int give 0 or an errno value; those that make something give NULL and set errno.
 * Errors of all: ENOTTY, EINVAL: the device is none of vrnic; EOPNOTSUPP, EPROTONOSUPPORT: its driver or the
 * device is older than this; EIO: the device is gone; EFAULT: a pointer is wrong. More are told at each.
 * Any thread; who destroys an object must be its last user. For C99 and C++14, or newer.
 */
#ifndef VRNICDV_H
#define VRNICDV_H

#include <infiniband/verbs.h>
#include <stdbool.h>

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
int vrnicdv_query_xrcd(struct ibv_xrcd *xrcd, struct vrnic_domain_context *out);
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

/*
 * Something that the object would else do by itself: VRNIC_CALL_* (vrnic_admin.h). EINVAL: no such operation, or it
 * cannot be done now.
 */
int vrnicdv_call_qp(struct ibv_qp *qp, uint32_t operation);
int vrnicdv_call_cq(struct ibv_cq *cq, uint32_t operation);
int vrnicdv_call_srq(struct ibv_srq *srq, uint32_t operation);

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
/* As vrnicdv_query_object takes it. EOPNOTSUPP: the driver is older, and does not tell. */
int vrnicdv_fault_number(struct vrnicdv_fault *fault, uint32_t *number);
/* Another rule about the same, counting from 0. Errors as of creating, and ENODEV. */
int vrnicdv_modify_fault(struct vrnicdv_fault *fault, const struct vrnic_fault_rule *rule);
/* The same rule counts from 0 again. */
int vrnicdv_restart_fault(struct vrnicdv_fault *fault);
/* The memory is free afterwards, whatever is returned; with the device gone that is 0. */
int vrnicdv_destroy_fault(struct vrnicdv_fault *fault);

/* ---- descriptors: what the device does, as it does it ---- */

/* What can be opened. *count as of vrnicdv_query_types. */
int vrnicdv_query_interfaces(struct ibv_context *context, struct vrnic_ib_interface *interfaces,
			     uint32_t *count);
/*
 * A file descriptor, which close() ends; -1 and errno else.
 *   capture.vrnic  reads as a pcapng file: the packets of the queue pairs it watches
 *   events.vrnic   reads as struct vrnic_stream_record (vrnic_stream.h): what happened to the queue pairs,
 *                  completion queues and shared receive queues it watches
 *   faults.vrnic   takes rules, which end with it, and reads as the records of what they hit
 * read() waits for something to be there (EAGAIN: O_NONBLOCK), gives 0 when all that it watched is gone, and fails
 * with EIO when the device is; poll() says EPOLLHUP then. Records for which there was no room are counted: each
 * tells how many there were before it, and ioctl VRNIC_IB_STREAM_LOST how many there are. ioctl FIONREAD: the
 * bytes of records. It is no longer possible to read records of a device that is gone.
 * options may be NULL. ENOENT: no such name. ENOPROTOOPT: the driver knows none of a version so new.
 * EPERM: VRNIC_IB_STREAM_EVERYTHING without CAP_NET_RAW. ENOMEM: there are too many.
 */
int vrnicdv_open_interface(struct ibv_context *context, const char *name, uint32_t version,
			   const struct vrnic_ib_stream_options *options);
/* As events.vrnic that watches this one. */
int vrnicdv_open_qp_events(struct ibv_qp *qp);
int vrnicdv_open_cq_events(struct ibv_cq *cq);
int vrnicdv_open_srq_events(struct ibv_srq *srq);
/*
 * What a descriptor tells of; the object is of the context that opened it. EEXIST, ENOENT: it is watched
 * already, or not. EOPNOTSUPP: of faults.vrnic.
 */
int vrnicdv_watch_qp(int fd, struct ibv_qp *qp, bool on);
int vrnicdv_watch_cq(int fd, struct ibv_cq *cq, bool on);
int vrnicdv_watch_srq(int fd, struct ibv_srq *srq, bool on);
int vrnicdv_watch_mr(int fd, struct ibv_mr *mr, bool on); /* what peers do there */
/* Anybody's; type: VRNIC_CONTEXT_QP, _CQ, _SRQ, _KEY. EPERM: without CAP_NET_RAW. ENOENT: there is none of this number. */
int vrnicdv_watch_number(int fd, struct ibv_context *context, uint32_t type, uint32_t number,
			 bool on);
/* Of faults.vrnic: a rule more. Errors as of vrnicdv_create_fault; EOPNOTSUPP: of another one. */
int vrnicdv_add_fault(int fd, struct ibv_context *context, const struct vrnic_fault_rule *rule,
		      struct ibv_qp *qp);
int vrnicdv_query_stream(int fd, struct ibv_context *context, struct vrnic_stream_context *out);

/* ---- CAPTURE and COUNTERS: the same, as objects ---- */

struct vrnicdv_stream;

/* Records of the filter's kinds, kept in a ring. Errors as of vrnicdv_open_interface, and EINVAL: no such kind. */
struct vrnicdv_stream *vrnicdv_create_capture(struct ibv_context *context,
					      const struct vrnic_ib_filter *filter);
/* Only counted. */
struct vrnicdv_stream *vrnicdv_create_counters(struct ibv_context *context,
					       const struct vrnic_ib_filter *filter);
int vrnicdv_query_captured(struct vrnicdv_stream *stream, struct vrnic_stream_context *out);
/* Other kinds from now on. EBUSY: it has a descriptor, which reads as it was made. */
int vrnicdv_modify_captured(struct vrnicdv_stream *stream, uint32_t kinds);
/* As of a descriptor. */
int vrnicdv_capture_qp(struct vrnicdv_stream *stream, struct ibv_qp *qp, bool on);
int vrnicdv_capture_cq(struct vrnicdv_stream *stream, struct ibv_cq *cq, bool on);
int vrnicdv_capture_srq(struct vrnicdv_stream *stream, struct ibv_srq *srq, bool on);
int vrnicdv_capture_mr(struct vrnicdv_stream *stream, struct ibv_mr *mr, bool on);
int vrnicdv_capture_number(struct vrnicdv_stream *stream, uint32_t type, uint32_t number, bool on);
/*
 * A descriptor, or -1 and errno; one at a time: EBUSY. Of a capture it reads as pcapng when it is of frames alone,
 * else as records. Of counters each read gives a whole struct vrnic_stream_counts, when something was counted since
 * the last one; EINVAL: there is no room for it.
 */
int vrnicdv_captured_fd(struct vrnicdv_stream *stream);
/* The memory is free afterwards, whatever is returned; with the device gone that is 0. */
int vrnicdv_destroy_captured(struct vrnicdv_stream *stream);

#ifdef __cplusplus
}
#endif

#endif /* VRNICDV_H */
