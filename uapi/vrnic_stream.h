/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * Streams: what the device did, record after record, in a ring of bytes in guest
 * memory. A record may go on at the ring's beginning. When there is no room for
 * one it is lost, and counted. One without a ring only counts what there is to
 * tell, in struct vrnic_stream_counts (vrnic_contexts.h) in guest memory.
 */
#ifndef VRNIC_STREAM_H
#define VRNIC_STREAM_H

#include "vrnic_types.h"

/* What a record is of; a stream takes those whose bit it asked for. */
#define VRNIC_STREAM_FRAME 0      /* a RoCE packet, whole: data is the Ethernet frame */
#define VRNIC_STREAM_DOORBELL 1   /* rung. a: VRNIC_DB_TYPE_* */
#define VRNIC_STREAM_FETCHED 2    /* an entry was read. a: its index, b: VRNIC_OP_* of a send queue's, SRQN or 0 */
#define VRNIC_STREAM_SENT 3       /* a packet left. a: its PSN, b: its opcode (BTH) */
#define VRNIC_STREAM_RECEIVED 4   /* a packet came. a, b: as of one that left */
#define VRNIC_STREAM_ACKED 5      /* an acknowledgement, or a response. a: the oldest PSN that is not acknowledged */
#define VRNIC_STREAM_COMPLETION 6 /* written. number: CQN, a: QPN, b: VRNIC_WC_* */
#define VRNIC_STREAM_EVENT 7      /* of a completion queue, with its interrupt. number: CQN */
#define VRNIC_STREAM_FAULT 8      /* one was injected. number: its handle, a: QPN or 0, b: VRNIC_FAULT_DROP ... */
#define VRNIC_STREAM_MEMORY 9     /* a request of a peer's read it (OUT), wrote it (IN). number: key, a: bytes, b: QPN */
#define VRNIC_STREAM_KINDS 10

#define VRNIC_STREAM_OUT 0 /* way: leaving; of the send queue */
#define VRNIC_STREAM_IN 1  /* coming; of the receive queue */

struct vrnic_stream_record {
	vrnic_le32 size;   /* bytes of the record with its data, a multiple of 8 */
	vrnic_u8 what;     /* VRNIC_STREAM_FRAME ... */
	vrnic_u8 way;      /* VRNIC_STREAM_OUT, VRNIC_STREAM_IN */
	vrnic_le16 reserved;
	vrnic_le64 time;   /* ns: of VRNIC_REG_CLOCK; of a frame since 1970, as the host has it */
	vrnic_le32 number; /* QPN, if nothing else is said */
	vrnic_le32 length; /* bytes of data, which follow */
	vrnic_le32 a;
	vrnic_le32 b;
	vrnic_le64 lost;   /* records that found no room before this one, since the stream began */
};
VRNIC_ASSERT_SIZE(struct vrnic_stream_record, 40);

/* 64-byte aligned, in the memory of the stream. */
struct vrnic_stream_dbrec {
	vrnic_le64 consumer; /* bytes that were taken, free running; written by the guest */
	vrnic_le64 arm;      /* by the guest: another value asks for one VRNIC_EVENT_STREAM, now or with the next record */
	vrnic_u8 reserved0[48];
	vrnic_le64 lost;     /* records for which there was no room */
	vrnic_le64 producer; /* bytes that were written, free running; written after them, by the device. Without a ring: times that the counts were */
	vrnic_u8 reserved1[48];
};
VRNIC_ASSERT_SIZE(struct vrnic_stream_dbrec, 128);
VRNIC_ASSERT_OFFSET(struct vrnic_stream_dbrec, lost, 64);

#define VRNIC_STREAM_SIZE_MIN_LOG 14 /* a ring holds the largest record */
#define VRNIC_STREAM_SIZE_MAX_LOG 24

#endif /* VRNIC_STREAM_H */
