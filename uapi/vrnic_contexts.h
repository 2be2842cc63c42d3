/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * Objects as the device holds them, for who looks inside: VRNIC_ADMIN_QUERY_OBJECT
 * writes one of these structures, little-endian, and a process gets it as it is.
 * Each is a table, of which tools make names and values; a later version appends.
 */
#ifndef VRNIC_CONTEXTS_H
#define VRNIC_CONTEXTS_H

#include "vrnic_types.h"

/* What is asked for, and its number. */
#define VRNIC_CONTEXT_PORT 1     /* 1 */
#define VRNIC_CONTEXT_PD 2       /* PDN */
#define VRNIC_CONTEXT_XRCD 3     /* XRCDN */
#define VRNIC_CONTEXT_CQ 4       /* CQN */
#define VRNIC_CONTEXT_SRQ 5      /* SRQN */
#define VRNIC_CONTEXT_QP 6       /* QPN */
#define VRNIC_CONTEXT_KEY 7      /* of a memory region or window; the key byte does not count */
#define VRNIC_CONTEXT_FAULT 8    /* handle of a rule of the guest */
#define VRNIC_CONTEXT_COUNTERS 9 /* a set */
#define VRNIC_CONTEXT_STREAM 10

#define VRNIC_CONTEXT_MAX_SIZE 256 /* bytes; no context is larger */

/* F(type, name): u8, le16, le32, le64. Padding is written out: reservedN. */

#define VRNIC_PORT_CONTEXT(F)                                                                      \
	F(le32, flags)          /* VRNIC_PORT_* */                                                 \
	F(le32, mtu)            /* Ethernet payload, bytes */                                      \
	F(u8, mac0) F(u8, mac1) F(u8, mac2) F(u8, mac3) F(u8, mac4) F(u8, mac5)                    \
	F(u8, link_up)                                                                             \
	F(u8, carrier)          /* but for faults */                                               \
	F(le64, multicast_hash)

#define VRNIC_DOMAIN_CONTEXT(F) /* PD, XRC domain */                                               \
	F(le32, number)                                                                            \
	F(le32, users)          /* objects of the domain */

#define VRNIC_CQ_CONTEXT(F)                                                                        \
	F(le32, cqn) F(le32, uar) F(le32, eqn)                                                     \
	F(le32, size)           /* entries */                                                      \
	F(le64, index)          /* of the next completion */                                       \
	F(le32, consumed)       /* as last read from the doorbell record, low 32 bits */           \
	F(le32, users)          /* queues that complete here */                                    \
	F(le32, arm_sequence)                                                                      \
	F(le32, event_count)    /* moderation */                                                   \
	F(le64, event_period)   /* ns */                                                           \
	F(le32, waiting)        /* completions that wait for their event */                        \
	F(u8, failed) F(u8, armed) F(u8, armed_solicited_only)                                     \
	F(u8, event_owed)       /* waits for room in its event queue, or for its event to be taken */

#define VRNIC_SRQ_CONTEXT(F)                                                                       \
	F(le32, srqn) F(le32, pdn)                                                                 \
	F(le32, xrcdn)          /* 0: an ordinary one */                                           \
	F(le32, cqn)            /* of XRC */                                                       \
	F(le32, size)           /* entries */                                                      \
	F(le32, stride)         /* bytes */                                                        \
	F(le32, next)           /* entry to be taken next, free running */                         \
	F(le32, producer)       /* as last read from the doorbell record */                        \
	F(le32, limit) F(le32, users)                                                              \
	F(u8, failed)                                                                              \
	F(u8, reserved0) F(le16, reserved1) F(le32, reserved2)

#define VRNIC_QP_CONTEXT(F)                                                                        \
	F(le32, qpn)                                                                               \
	F(u8, type)             /* VRNIC_QPT_* */                                                  \
	F(u8, state)            /* VRNIC_QPS_* */                                                  \
	F(u8, path_mtu)         /* 1: 256 .. 5: 4096 bytes */                                      \
	F(u8, privileged)       /* of the kernel */                                                \
	F(le32, pdn) F(le32, uar) F(le32, send_cqn) F(le32, recv_cqn)                              \
	F(le32, srqn) F(le32, xrcdn)                                                               \
	F(le32, counters)       /* the set it is bound to; 0: none */                              \
	F(le32, dest_qpn)                                                                          \
	F(le32, access_flags) F(le32, qkey)                                                        \
	/* the send queue */                                                                       \
	F(le32, sq_size)        /* entries */                                                      \
	F(le32, sq_stride)      /* bytes */                                                        \
	F(le32, sq_next)        /* entry to be taken next, free running */                         \
	F(le32, sq_producer)    /* as last read from the doorbell record */                        \
	/* the receive queue */                                                                    \
	F(le32, rq_size) F(le32, rq_stride) F(le32, rq_next) F(le32, rq_producer)                  \
	/* requester: oldest unacknowledged <= ... sent_end <= next */                             \
	F(le32, unacked_psn) F(le32, sent_end_psn) F(le32, next_psn)                               \
	F(le32, requests)       /* taken and not complete */                                       \
	F(le32, unsent)         /* of them: not sent as a whole, or to be sent again */            \
	F(le32, fetches)        /* READs and atomics outstanding */                                \
	F(u8, retries_left) F(u8, rnr_retries_left)                                                \
	F(u8, timer_running) F(u8, rnr_waiting)                                                    \
	/* responder */                                                                            \
	F(u8, nak_sent)         /* until the expected packet comes, no other */                    \
	F(u8, ack_pending) F(u8, message)  /* 1: SEND, 2: WRITE of which more is to come */        \
	F(u8, entry_taken)      /* a receive entry, by that message */                             \
	F(le32, expected_psn) F(le32, msn)                                                         \
	F(le32, received)       /* bytes of that message */                                        \
	F(le32, jobs)           /* READs and atomics to be answered */

#define VRNIC_KEY_CONTEXT(F)                                                                       \
	F(le32, key) F(le32, pdn)                                                                  \
	F(le32, access)         /* VRNIC_ACCESS_* */                                               \
	F(u8, kind)             /* VRNIC_KEY_* */                                                  \
	F(u8, granting)         /* a region that has memory, a window that is bound */             \
	F(le16, reserved0)                                                                         \
	F(le64, iova) F(le64, length)                                                              \
	F(le32, windows)        /* that are bound to the region */                                 \
	F(le32, region)         /* of a bound window: the region's key */                          \
	F(le32, qpn)            /* of a window of type 2 that is bound */                          \
	F(le32, reserved1)

#define VRNIC_KEY_REGION 0
#define VRNIC_KEY_ALL_MEMORY 1
#define VRNIC_KEY_FAST_REGION 2
#define VRNIC_KEY_WINDOW_TYPE_1 3
#define VRNIC_KEY_WINDOW_TYPE_2 4

#define VRNIC_FAULT_CONTEXT(F)                                                                     \
	F(le64, seen)           /* that fitted the rule */                                         \
	F(le64, injected)

#define VRNIC_COUNTERS_CONTEXT(F)                                                                  \
	F(le32, number)                                                                            \
	F(le32, users)          /* queue pairs that are bound to it */

/* Things to tell of, by kind (VRNIC_STREAM_FRAME ...); then bytes: of frames, and of memory. */
#define VRNIC_STREAM_COUNTS(F)                                                                     \
	F(le64, frames) F(le64, doorbells) F(le64, fetched) F(le64, sent) F(le64, received)        \
	F(le64, acknowledged) F(le64, completions) F(le64, events) F(le64, faults)                 \
	F(le64, memory)                                                                            \
	F(le64, bytes_out) F(le64, bytes_in)                                                       \
	F(le64, memory_read) F(le64, memory_written)

#define VRNIC_STREAM_CONTEXT(F)                                                                    \
	F(le64, producer)                                                                          \
	F(le64, consumer)       /* as last read */                                                 \
	F(le64, lost)                                                                              \
	F(le32, kinds) F(le32, size)                                                               \
	F(u8, failed)           /* its memory could not be reached: tells nothing more */          \
	F(u8, everything) F(le16, reserved0) F(le32, reserved1)                                    \
	VRNIC_STREAM_COUNTS(F)

#define VRNIC_CONTEXT_FIELD(type, name) vrnic_##type name;
struct vrnic_port_context { VRNIC_PORT_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_domain_context { VRNIC_DOMAIN_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_cq_context { VRNIC_CQ_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_srq_context { VRNIC_SRQ_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_qp_context { VRNIC_QP_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_key_context { VRNIC_KEY_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_fault_context { VRNIC_FAULT_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_counters_context { VRNIC_COUNTERS_CONTEXT(VRNIC_CONTEXT_FIELD) };
struct vrnic_stream_counts { VRNIC_STREAM_COUNTS(VRNIC_CONTEXT_FIELD) };
struct vrnic_stream_context { VRNIC_STREAM_CONTEXT(VRNIC_CONTEXT_FIELD) };
#undef VRNIC_CONTEXT_FIELD

VRNIC_ASSERT_SIZE(struct vrnic_port_context, 24);
VRNIC_ASSERT_SIZE(struct vrnic_domain_context, 8);
VRNIC_ASSERT_SIZE(struct vrnic_cq_context, 56);
VRNIC_ASSERT_SIZE(struct vrnic_srq_context, 48);
VRNIC_ASSERT_SIZE(struct vrnic_qp_context, 128);
VRNIC_ASSERT_SIZE(struct vrnic_key_context, 48);
VRNIC_ASSERT_SIZE(struct vrnic_fault_context, 16);
VRNIC_ASSERT_SIZE(struct vrnic_counters_context, 8);
VRNIC_ASSERT_SIZE(struct vrnic_stream_counts, 112);
VRNIC_ASSERT_SIZE(struct vrnic_stream_context, 152);

#endif /* VRNIC_CONTEXTS_H */
