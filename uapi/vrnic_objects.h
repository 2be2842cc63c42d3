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

/*
 * A(object_method, name, kind, type, size, presence), presence MANDATORY or OPTIONAL. By kind:
 * NEW, READ, WRITE, DESTROY: handle of an object of that type. IN, OUT: a structure, of which size bytes have been
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
#define VRNIC_METHODS_DEVICE(M)                                                                    \
	M(DEVICE, TYPES) M(DEVICE, QUERY) M(DEVICE, QUERY_PORT) M(DEVICE, QUERY_OBJECT)

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

#define VRNIC_METHODS_PD(M) M(PD, QUERY)
#define VRNIC_METHODS_XRCD(M) M(XRCD, QUERY)
#define VRNIC_METHODS_CQ(M) M(CQ, QUERY)
#define VRNIC_METHODS_SRQ(M) M(SRQ, QUERY)
#define VRNIC_METHODS_QP(M) M(QP, QUERY)
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
	A(FAULT_CREATE, QP, READ, UVERBS_OBJECT_QP, 0, OPTIONAL)
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

/* ---- all objects ---- */

#define VRNIC_STANDARD_OBJECTS(O)                                                                  \
	O(DEVICE) O(PD) O(XRCD) O(CQ) O(SRQ) O(QP) O(MR) O(MW) O(AH)
#define VRNIC_OBJECTS(O) O(FAULT)

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
