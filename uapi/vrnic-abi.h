/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * What the provider and the kernel driver tell each other through uverbs: the
 * driver's part of the standard commands. Native byte order, as all uverbs.
 */
#ifndef VRNIC_ABI_H
#define VRNIC_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include "vrnic_contexts.h"
#include "vrnic_ring.h"
#include "vrnic_types.h"

#define VRNIC_UVERBS_DRIVER_ID 0x56524e43 /* "VRNC", above the kernel's enum */
#define VRNIC_UVERBS_ABI_VERSION 1

/* comp_mask fields say which later additions are present; zero for now, an unknown bit is refused. */

/* In memory that the kernel shows to processes: costs a load to look at, no access to the device. */
struct vrnic_ib_state {
	/*
	 * 0: the device was taken from the process, or has died. It writes no memory any more, and
	 * no completion comes: the provider flushes what is posted. Never 1 again.
	 */
	__u32 alive;
};

struct vrnic_ib_alloc_ucontext_req {
	__aligned_u64 comp_mask;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_alloc_ucontext_req, 8);

struct vrnic_ib_alloc_ucontext_resp {
	__aligned_u64 comp_mask;
	__aligned_u64 db_mmap_key; /* offset to mmap the context's doorbell page(s) */
	__u32 db_mmap_size;        /* bytes, whole pages; the doorbell is at db_offset */
	__u32 db_offset;
	__u32 max_inline;          /* bytes */
	__u32 max_send_sge;
	__u32 max_recv_sge;
	__u32 max_sq_entries;
	__u32 max_rq_entries;
	__u32 max_cq_entries;
	__aligned_u64 clock_mmap_key; /* offset to mmap, for reading, the page with the device's clock */
	__u32 clock_mmap_size;
	__u32 clock_offset;           /* VRNIC_REG_CLOCK: 64 bits, ns */
	__u32 max_srq_entries;
	__u32 reserved;
	__aligned_u64 features;       /* VRNIC_CAP_* of the device */
	/* A library or driver of before has no more. */
	__aligned_u64 state_mmap_key; /* offset to mmap, for reading, struct vrnic_ib_state */
	__u32 state_mmap_size;        /* bytes; 0: none */
	__u32 reserved2;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_alloc_ucontext_resp, 96);

/* Attribute of UVERBS_METHOD_QUERY_CONTEXT: the same answer, for one who imports the context. */
#define VRNIC_IB_ATTR_QUERY_CONTEXT_RESP 0x1000 /* 1 << UVERBS_ID_NS_SHIFT: the driver's first */

struct vrnic_ib_alloc_pd_resp {
	__aligned_u64 comp_mask;
	__u32 pdn;
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_alloc_pd_resp, 16);

/* The memory is the provider's; offsets as in vrnic_cmd_create_cq and vrnic_cmd_create_qp. */
struct vrnic_ib_create_cq_req {
	__aligned_u64 comp_mask;
	__aligned_u64 buf_va;
	__aligned_u64 buf_len;
	__u32 ring_offset;
	__u32 dbrec_offset;
	__u32 log_size; /* entries; holds at least the cqe that the command asks for */
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_create_cq_req, 40);

struct vrnic_ib_create_cq_resp {
	__aligned_u64 comp_mask;
	__u32 cqn;
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_create_cq_resp, 16);

/* As the creation; the CQ must not be polled meanwhile. See vrnic_cmd_resize_cq. */
struct vrnic_ib_resize_cq_req {
	__aligned_u64 comp_mask;
	__aligned_u64 buf_va;
	__aligned_u64 buf_len;
	__u32 ring_offset;
	__u32 dbrec_offset;
	__u32 log_size;
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_resize_cq_req, 40);

struct vrnic_ib_create_srq_req {
	__aligned_u64 comp_mask;
	__aligned_u64 buf_va;
	__aligned_u64 buf_len;
	__u32 ring_offset;
	__u32 dbrec_offset;
	__u8 log_size;
	__u8 log_stride;
	__u8 reserved[6];
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_create_srq_req, 40);

struct vrnic_ib_create_srq_resp {
	__aligned_u64 comp_mask;
	__u32 srqn;
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_create_srq_resp, 16);

/* With IBV_SRQ_MAX_WR: the memory of the larger or smaller queue. See vrnic_cmd_resize_srq. */
struct vrnic_ib_modify_srq_req {
	__aligned_u64 comp_mask;
	__aligned_u64 buf_va;
	__aligned_u64 buf_len;
	__u32 ring_offset;
	__u32 dbrec_offset;
	__u8 log_size;
	__u8 reserved[7];
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_modify_srq_req, 40);

/* An address handle is its address vector, as it goes into each send entry. */
struct vrnic_ib_create_ah_resp {
	__aligned_u64 comp_mask;
	struct vrnic_av av;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_create_ah_resp, 40);

/* With a shared receive queue rq_log_size is VRNIC_NO_QUEUE. XRC_TGT has no request. */
struct vrnic_ib_create_qp_req {
	__aligned_u64 comp_mask;
	__aligned_u64 buf_va;
	__aligned_u64 buf_len;
	__u32 sq_offset;
	__u32 rq_offset;
	__u32 dbrec_offset;
	__u8 sq_log_size;
	__u8 sq_log_stride;
	__u8 rq_log_size;
	__u8 rq_log_stride;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_create_qp_req, 40);

struct vrnic_ib_create_qp_resp {
	__aligned_u64 comp_mask;
	__u32 qpn;
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_create_qp_resp, 16);

/* An object as the device holds it: one of vrnic_contexts.h, for any of which this has room. */
struct vrnic_ib_context {
	__u8 bytes[VRNIC_CONTEXT_MAX_SIZE];
};

/* What there is to be asked (vrnic_objects.h): of each object one entry, then those of its methods, each with its attributes. */
enum vrnic_ib_type_kind {
	VRNIC_TYPE_OBJECT = 0,
	VRNIC_TYPE_METHOD = 1,
	VRNIC_TYPE_NEW = 2, /* an attribute, from here on; see vrnic_objects.h */
	VRNIC_TYPE_READ = 3,
	VRNIC_TYPE_WRITE = 4,
	VRNIC_TYPE_DESTROY = 5,
	VRNIC_TYPE_IN = 6,
	VRNIC_TYPE_OUT = 7,
	VRNIC_TYPE_LIST = 8,
	VRNIC_TYPE_FD_NEW = 9,
	VRNIC_TYPE_FD = 10,
};

#define VRNIC_TYPE_MANDATORY (1u << 0)
#define VRNIC_TYPE_STANDARD (1u << 1) /* an object of the standard: it has more methods than these */

struct vrnic_ib_type {
	__u16 object;
	__u16 method;
	__u16 attr;
	__u8 kind;      /* enum vrnic_ib_type_kind */
	__u8 flags;
	__u16 min_size; /* bytes; of a list: of one element */
	__u16 size;
	__u16 handle;   /* the type of object that a handle is of */
	__u16 reserved;
	char name[24];  /* without those it belongs to; ends with 0 */
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_type, 40);

/* A driver descriptor is opened by name and version. */
struct vrnic_ib_interface {
	char name[24];  /* "capture.vrnic"; ends with 0 */
	__u32 version;  /* listed: the newest, there are all from 1 on. Asked for: the one that the program knows */
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_interface, 32);

#define VRNIC_IB_STREAM_EVERYTHING (1u << 0) /* of all objects of the device: needs CAP_NET_RAW */

struct vrnic_ib_stream_options {
	__u32 log_size; /* of the ring, bytes: VRNIC_STREAM_SIZE_MIN_LOG..22; 0: 20 */
	__u32 flags;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_stream_options, 8);

/* What CAPTURE and COUNTERS are of. */
struct vrnic_ib_filter {
	__u32 kinds;    /* bit n: kind n (VRNIC_STREAM_FRAME ...) */
	__u32 log_size; /* of CAPTURE's ring, as above; COUNTERS: 0 */
	__u32 flags;    /* VRNIC_IB_STREAM_EVERYTHING; MODIFY: 0, and no log_size */
	__u32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_filter, 16);

/* Anybody's object, by its number. */
struct vrnic_ib_number {
	__u32 type;   /* VRNIC_CONTEXT_* */
	__u32 number;
};
VRNIC_ASSERT_SIZE(struct vrnic_ib_number, 8);

/* ioctl of a stream: records that found no room since it was opened; 0 when the device is gone. */
#define VRNIC_IB_STREAM_LOST _IOR('V', 0x80, __u64)

#endif /* VRNIC_ABI_H */
