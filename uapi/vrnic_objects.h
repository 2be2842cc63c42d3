/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * What a process can ask of our objects, and of the standard ones beyond the
 * standard, through the ioctl of uverbs: one list. It makes the numbers below,
 * the kernel's definitions, and what the query of types answers. New entries go
 * to the end of their list: a number is for ever.
 */
#ifndef VRNIC_OBJECTS_H
#define VRNIC_OBJECTS_H

#include "vrnic-abi.h"
#include "vrnic_admin.h"
#include "vrnic_contexts.h"
#include "vrnic_fault.h"

#include <rdma/ib_user_ioctl_cmds.h>

#define VRNIC_OBJECTS_VERSION 2 /* grows with each addition */

/*
 * A(object_method, name, kind, type, size, presence), presence MANDATORY or OPTIONAL. By kind:
 * NEW, READ, WRITE, DESTROY: handle of an object of that type. FD_NEW, FD: a descriptor of one. IN, OUT: a structure, of which size bytes have been
 * there from the first version on; a longer one is taken when its tail is zero, or filled with zeros. LIST: room
 * for any number of structures, as many of which are filled as fit.
 */

/* ---- the device ---- */

#define VRNIC_ATTRS_DEVICE_TYPES(A)                                                                \
	A(DEVICE_TYPES, COUNT, OUT, __u32, 4, MANDATORY) /* of all there are */                    \
	A(DEVICE_TYPES, LIST, LIST, struct vrnic_ib_type, 0, OPTIONAL)
#define VRNIC_ATTRS_DEVICE_QUERY(A)                                                                \
	A(DEVICE_QUERY, CAPS, OUT, struct vrnic_device_caps, 240, MANDATORY)
#define VRNIC_ATTRS_DEVICE_QUERY_PORT(A)                                                           \
	A(DEVICE_QUERY_PORT, CONTEXT, OUT, struct vrnic_port_context, 24, MANDATORY)
/* Of anybody's object, by its number: needs CAP_NET_ADMIN. */
#define VRNIC_ATTRS_DEVICE_QUERY_OBJECT(A)                                                         \
	A(DEVICE_QUERY_OBJECT, TYPE, IN, __u32, 4, MANDATORY) /* VRNIC_CONTEXT_* */                \
	A(DEVICE_QUERY_OBJECT, NUMBER, IN, __u32, 4, MANDATORY)                                    \
	A(DEVICE_QUERY_OBJECT, CONTEXT, OUT, struct vrnic_ib_context, 8, MANDATORY)
/* What descriptors can be opened. */
#define VRNIC_ATTRS_DEVICE_INTERFACES(A)                                                           \
	A(DEVICE_INTERFACES, COUNT, OUT, __u32, 4, MANDATORY) /* of all there are */               \
	A(DEVICE_INTERFACES, LIST, LIST, struct vrnic_ib_interface, 0, OPTIONAL)
/* ENOENT: no such name. ENOPROTOOPT: none of a version so new. */
#define VRNIC_ATTRS_DEVICE_OPEN(A)                                                                 \
	A(DEVICE_OPEN, FD, FD_NEW, VRNIC_OBJECT_STREAM, 0, MANDATORY)                              \
	A(DEVICE_OPEN, INTERFACE, IN, struct vrnic_ib_interface, 32, MANDATORY)                    \
	A(DEVICE_OPEN, OPTIONS, IN, struct vrnic_ib_stream_options, 8, OPTIONAL)
#define VRNIC_METHODS_DEVICE(M)                                                                    \
	M(DEVICE, TYPES) M(DEVICE, QUERY) M(DEVICE, QUERY_PORT) M(DEVICE, QUERY_OBJECT)            \
	M(DEVICE, INTERFACES) M(DEVICE, OPEN)

/* ---- standard objects, as the device holds them ---- */

#define VRNIC_ATTRS_QUERY(A, object, context, size)                                                \
	A(object##_QUERY, HANDLE, READ, UVERBS_OBJECT_##object, 0, MANDATORY)                      \
	A(object##_QUERY, CONTEXT, OUT, struct vrnic_##context##_context, size, MANDATORY)
#define VRNIC_ATTRS_PD_QUERY(A) VRNIC_ATTRS_QUERY(A, PD, domain, 8)
#define VRNIC_ATTRS_XRCD_QUERY(A) VRNIC_ATTRS_QUERY(A, XRCD, domain, 8)
#define VRNIC_ATTRS_CQ_QUERY(A) VRNIC_ATTRS_QUERY(A, CQ, cq, 56)
#define VRNIC_ATTRS_SRQ_QUERY(A) VRNIC_ATTRS_QUERY(A, SRQ, srq, 48)
#define VRNIC_ATTRS_QP_QUERY(A) VRNIC_ATTRS_QUERY(A, QP, qp, 128)
#define VRNIC_ATTRS_MR_QUERY(A) VRNIC_ATTRS_QUERY(A, MR, key, 48)
#define VRNIC_ATTRS_MW_QUERY(A) VRNIC_ATTRS_QUERY(A, MW, key, 48)
/* No object of the device: the address vector, as it goes into each request. */
#define VRNIC_ATTRS_AH_QUERY(A)                                                                    \
	A(AH_QUERY, HANDLE, READ, UVERBS_OBJECT_AH, 0, MANDATORY)                                  \
	A(AH_QUERY, AV, OUT, struct vrnic_av, 32, MANDATORY)

/* A descriptor of its events, as of events.vrnic. */
#define VRNIC_ATTRS_GET_FD(A, object)                                                              \
	A(object##_GET_FD, HANDLE, READ, UVERBS_OBJECT_##object, 0, MANDATORY)                     \
	A(object##_GET_FD, FD, FD_NEW, VRNIC_OBJECT_STREAM, 0, MANDATORY)
#define VRNIC_ATTRS_CQ_GET_FD(A) VRNIC_ATTRS_GET_FD(A, CQ)
#define VRNIC_ATTRS_SRQ_GET_FD(A) VRNIC_ATTRS_GET_FD(A, SRQ)
#define VRNIC_ATTRS_QP_GET_FD(A) VRNIC_ATTRS_GET_FD(A, QP)

/* Something that it would else do by itself (VRNIC_CALL_* in vrnic_admin.h). EINVAL: no such operation. */
#define VRNIC_ATTRS_STANDARD_CALL(A, object)                                                       \
	A(object##_CALL, HANDLE, READ, UVERBS_OBJECT_##object, 0, MANDATORY)                       \
	A(object##_CALL, OPERATION, IN, __u32, 4, MANDATORY)
#define VRNIC_ATTRS_CQ_CALL(A) VRNIC_ATTRS_STANDARD_CALL(A, CQ)
#define VRNIC_ATTRS_SRQ_CALL(A) VRNIC_ATTRS_STANDARD_CALL(A, SRQ)
#define VRNIC_ATTRS_QP_CALL(A) VRNIC_ATTRS_STANDARD_CALL(A, QP)

#define VRNIC_METHODS_PD(M) M(PD, QUERY)
#define VRNIC_METHODS_XRCD(M) M(XRCD, QUERY)
#define VRNIC_METHODS_CQ(M) M(CQ, QUERY) M(CQ, GET_FD) M(CQ, CALL)
#define VRNIC_METHODS_SRQ(M) M(SRQ, QUERY) M(SRQ, GET_FD) M(SRQ, CALL)
#define VRNIC_METHODS_QP(M) M(QP, QUERY) M(QP, GET_FD) M(QP, CALL)
#define VRNIC_METHODS_MR(M) M(MR, QUERY)
#define VRNIC_METHODS_MW(M) M(MW, QUERY)
#define VRNIC_METHODS_AH(M) M(AH, QUERY)

/* ---- FAULT: a rule of what is to go wrong ---- */

/*
 * With QP the rule is about that queue pair alone (the rule's qpn does not count), and ends with it.
 * Without, it can hit anybody's: needs CAP_NET_ADMIN.
 */
#define VRNIC_ATTRS_FAULT_CREATE(A)                                                                \
	A(FAULT_CREATE, HANDLE, NEW, VRNIC_OBJECT_FAULT, 0, MANDATORY)                             \
	A(FAULT_CREATE, RULE, IN, struct vrnic_fault_rule, 112, MANDATORY)                         \
	A(FAULT_CREATE, QP, READ, UVERBS_OBJECT_QP, 0, OPTIONAL)                                   \
	A(FAULT_CREATE, NUMBER, OUT, __u32, 4, OPTIONAL) /* as QUERY_OBJECT takes it; version 2 */
/* ENODEV: its queue pair is gone. */
#define VRNIC_ATTRS_FAULT_QUERY(A)                                                                 \
	A(FAULT_QUERY, HANDLE, READ, VRNIC_OBJECT_FAULT, 0, MANDATORY)                             \
	A(FAULT_QUERY, RULE, OUT, struct vrnic_fault_rule, 112, OPTIONAL)                          \
	A(FAULT_QUERY, CONTEXT, OUT, struct vrnic_fault_context, 16, OPTIONAL)
/* Another rule, about the same queue pair if there was one, counting from 0. */
#define VRNIC_ATTRS_FAULT_MODIFY(A)                                                                \
	A(FAULT_MODIFY, HANDLE, WRITE, VRNIC_OBJECT_FAULT, 0, MANDATORY)                           \
	A(FAULT_MODIFY, RULE, IN, struct vrnic_fault_rule, 112, MANDATORY)
#define VRNIC_ATTRS_FAULT_DESTROY(A)                                                               \
	A(FAULT_DESTROY, HANDLE, DESTROY, VRNIC_OBJECT_FAULT, 0, MANDATORY)
#define VRNIC_ATTRS_FAULT_CALL(A)                                                                  \
	A(FAULT_CALL, HANDLE, WRITE, VRNIC_OBJECT_FAULT, 0, MANDATORY)                             \
	A(FAULT_CALL, OPERATION, IN, __u32, 4, MANDATORY) /* VRNIC_FAULT_CALL_* */
#define VRNIC_METHODS_FAULT(M)                                                                     \
	M(FAULT, CREATE) M(FAULT, QUERY) M(FAULT, MODIFY) M(FAULT, DESTROY) M(FAULT, CALL)

#define VRNIC_FAULT_CALL_RESTART 1 /* the same rule counts from 0 again */

/* ---- STREAM: a descriptor of what the device does (vrnic_stream.h), or did to what a fault hit ---- */

#define VRNIC_ATTRS_STREAM_QUERY(A)                                                                \
	A(STREAM_QUERY, FD, FD, VRNIC_OBJECT_STREAM, 0, MANDATORY)                                 \
	A(STREAM_QUERY, CONTEXT, OUT, struct vrnic_stream_context, 152, MANDATORY)
/*
 * WATCH, UNWATCH: exactly one of QP, CQ, SRQ, MR, which are the process's own, and NUMBER, which is anybody's and needs
 * CAP_NET_RAW. EEXIST, ENOENT: it is watched already, or not. When the last one of them has ended the descriptor
 * has, too. FAULT: RULE, and QP as of FAULT.CREATE; of faults.vrnic only, and that takes nothing else.
 */
#define VRNIC_ATTRS_STREAM_CALL(A)                                                                 \
	A(STREAM_CALL, FD, FD, VRNIC_OBJECT_STREAM, 0, MANDATORY)                                  \
	A(STREAM_CALL, OPERATION, IN, __u32, 4, MANDATORY) /* VRNIC_STREAM_CALL_* */               \
	A(STREAM_CALL, QP, READ, UVERBS_OBJECT_QP, 0, OPTIONAL)                                    \
	A(STREAM_CALL, CQ, READ, UVERBS_OBJECT_CQ, 0, OPTIONAL)                                    \
	A(STREAM_CALL, SRQ, READ, UVERBS_OBJECT_SRQ, 0, OPTIONAL)                                  \
	A(STREAM_CALL, MR, READ, UVERBS_OBJECT_MR, 0, OPTIONAL)                                    \
	A(STREAM_CALL, NUMBER, IN, struct vrnic_ib_number, 8, OPTIONAL)                            \
	A(STREAM_CALL, RULE, IN, struct vrnic_fault_rule, 112, OPTIONAL)
#define VRNIC_METHODS_STREAM(M) M(STREAM, QUERY) M(STREAM, CALL)

#define VRNIC_STREAM_CALL_WATCH 1
#define VRNIC_STREAM_CALL_UNWATCH 2
#define VRNIC_STREAM_CALL_FAULT 3

/* ---- CAPTURE: records of what the device does, in a ring; COUNTERS: how often, and how much ---- */

#define VRNIC_ATTRS_CREATE(A, object)                                                              \
	A(object##_CREATE, HANDLE, NEW, VRNIC_OBJECT_##object, 0, MANDATORY)                       \
	A(object##_CREATE, FILTER, IN, struct vrnic_ib_filter, 16, MANDATORY)
#define VRNIC_ATTRS_OWN_QUERY(A, object)                                                           \
	A(object##_QUERY, HANDLE, READ, VRNIC_OBJECT_##object, 0, MANDATORY)                       \
	A(object##_QUERY, CONTEXT, OUT, struct vrnic_stream_context, 152, MANDATORY)
#define VRNIC_ATTRS_MODIFY(A, object)                                                              \
	A(object##_MODIFY, HANDLE, WRITE, VRNIC_OBJECT_##object, 0, MANDATORY)                     \
	A(object##_MODIFY, FILTER, IN, struct vrnic_ib_filter, 16, MANDATORY)
#define VRNIC_ATTRS_DESTROY(A, object)                                                             \
	A(object##_DESTROY, HANDLE, DESTROY, VRNIC_OBJECT_##object, 0, MANDATORY)
/* WATCH, UNWATCH: as of STREAM.CALL. */
#define VRNIC_ATTRS_CALL(A, object)                                                                \
	A(object##_CALL, HANDLE, WRITE, VRNIC_OBJECT_##object, 0, MANDATORY)                       \
	A(object##_CALL, OPERATION, IN, __u32, 4, MANDATORY)                                       \
	A(object##_CALL, QP, READ, UVERBS_OBJECT_QP, 0, OPTIONAL)                                  \
	A(object##_CALL, CQ, READ, UVERBS_OBJECT_CQ, 0, OPTIONAL)                                  \
	A(object##_CALL, SRQ, READ, UVERBS_OBJECT_SRQ, 0, OPTIONAL)                                \
	A(object##_CALL, MR, READ, UVERBS_OBJECT_MR, 0, OPTIONAL)                                  \
	A(object##_CALL, NUMBER, IN, struct vrnic_ib_number, 8, OPTIONAL)
/* One at a time: else EBUSY. It ends with its object. */
#define VRNIC_ATTRS_OWN_GET_FD(A, object)                                                          \
	A(object##_GET_FD, HANDLE, WRITE, VRNIC_OBJECT_##object, 0, MANDATORY)                     \
	A(object##_GET_FD, FD, FD_NEW, VRNIC_OBJECT_STREAM, 0, MANDATORY)

#define VRNIC_ATTRS_CAPTURE_CREATE(A) VRNIC_ATTRS_CREATE(A, CAPTURE)
#define VRNIC_ATTRS_CAPTURE_QUERY(A) VRNIC_ATTRS_OWN_QUERY(A, CAPTURE)
#define VRNIC_ATTRS_CAPTURE_MODIFY(A) VRNIC_ATTRS_MODIFY(A, CAPTURE)
#define VRNIC_ATTRS_CAPTURE_DESTROY(A) VRNIC_ATTRS_DESTROY(A, CAPTURE)
#define VRNIC_ATTRS_CAPTURE_CALL(A) VRNIC_ATTRS_CALL(A, CAPTURE)
/* Of kind VRNIC_STREAM_FRAME alone it reads as pcapng, else as records. */
#define VRNIC_ATTRS_CAPTURE_GET_FD(A) VRNIC_ATTRS_OWN_GET_FD(A, CAPTURE)
#define VRNIC_METHODS_CAPTURE(M)                                                                   \
	M(CAPTURE, CREATE) M(CAPTURE, QUERY) M(CAPTURE, MODIFY) M(CAPTURE, DESTROY)                \
	M(CAPTURE, CALL) M(CAPTURE, GET_FD)

#define VRNIC_ATTRS_COUNTERS_CREATE(A) VRNIC_ATTRS_CREATE(A, COUNTERS)
#define VRNIC_ATTRS_COUNTERS_QUERY(A) VRNIC_ATTRS_OWN_QUERY(A, COUNTERS)
#define VRNIC_ATTRS_COUNTERS_MODIFY(A) VRNIC_ATTRS_MODIFY(A, COUNTERS)
#define VRNIC_ATTRS_COUNTERS_DESTROY(A) VRNIC_ATTRS_DESTROY(A, COUNTERS)
#define VRNIC_ATTRS_COUNTERS_CALL(A) VRNIC_ATTRS_CALL(A, COUNTERS)
/* Readable when something was counted since it was read: struct vrnic_stream_counts, whole. */
#define VRNIC_ATTRS_COUNTERS_GET_FD(A) VRNIC_ATTRS_OWN_GET_FD(A, COUNTERS)
#define VRNIC_METHODS_COUNTERS(M)                                                                  \
	M(COUNTERS, CREATE) M(COUNTERS, QUERY) M(COUNTERS, MODIFY) M(COUNTERS, DESTROY)            \
	M(COUNTERS, CALL) M(COUNTERS, GET_FD)

/* ---- all objects ---- */

#define VRNIC_STANDARD_OBJECTS(O)                                                                  \
	O(DEVICE) O(PD) O(XRCD) O(CQ) O(SRQ) O(QP) O(MR) O(MW) O(AH)
#define VRNIC_OBJECTS(O) O(FAULT) O(STREAM) O(CAPTURE) O(COUNTERS)

/* ---- the numbers ---- */

#define VRNIC_FIRST_ID 0x1000 /* of a driver: 1 << UVERBS_ID_NS_SHIFT */

#define VRNIC_OBJECT_NUMBER(object) VRNIC_OBJECT_##object,
#define VRNIC_METHOD_NUMBER(object, method) VRNIC_METHOD_##object##_##method,
#define VRNIC_ATTR_NUMBER(object_method, name, ...) VRNIC_ATTR_##object_method##_##name,
#define VRNIC_METHOD_ATTRS(object, method)                                                         \
	enum vrnic_attrs_##object##_##method {                                                     \
		VRNIC_ATTRS_##object##_##method##_BEFORE = VRNIC_FIRST_ID - 1,                     \
		VRNIC_ATTRS_##object##_##method(VRNIC_ATTR_NUMBER)                                 \
	};
#define VRNIC_OBJECT_METHODS(object)                                                               \
	enum vrnic_methods_##object {                                                              \
		VRNIC_METHODS_##object##_BEFORE = VRNIC_FIRST_ID - 1,                              \
		VRNIC_METHODS_##object(VRNIC_METHOD_NUMBER)                                        \
	};                                                                                         \
	VRNIC_METHODS_##object(VRNIC_METHOD_ATTRS)

enum vrnic_objects {
	VRNIC_OBJECTS_BEFORE = VRNIC_FIRST_ID - 1,
	VRNIC_OBJECTS(VRNIC_OBJECT_NUMBER)
};
VRNIC_STANDARD_OBJECTS(VRNIC_OBJECT_METHODS)
VRNIC_OBJECTS(VRNIC_OBJECT_METHODS)

#undef VRNIC_OBJECT_METHODS
#undef VRNIC_METHOD_ATTRS
#undef VRNIC_ATTR_NUMBER
#undef VRNIC_METHOD_NUMBER
#undef VRNIC_OBJECT_NUMBER

#endif /* VRNIC_OBJECTS_H */
