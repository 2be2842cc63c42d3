/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * What lies in guest memory on the path of a work request: doorbell records,
 * work queue entries, completions, events.
 *
 * Indices are free running and count entries; entry i of a ring of 2^n is at
 * position i mod 2^n. A ring holds at most 2^n entries that were posted and not
 * yet taken; a producer index further ahead is an error of the queue.
 */
#ifndef VRNIC_RING_H
#define VRNIC_RING_H

#include "vrnic_types.h"

/* ---- doorbell records: written by the guest, read by the device (but for sq_busy) ---- */

/*
 * Queue pair; 64-byte aligned, each index on a cache line of its own. sq_busy is the device's: while
 * it is not 0 the device reads sq_pi again without a doorbell. The guest looks at it after it wrote
 * sq_pi, with a full barrier between, and zeroes it with the indices after the QP went to RESET.
 */
struct vrnic_qp_dbrec {
	vrnic_le32 sq_pi; /* entries posted to the send queue */
	vrnic_le32 sq_busy;
	vrnic_u8 reserved0[56];
	vrnic_le32 rq_pi; /* entries posted to the receive queue */
	vrnic_u8 reserved1[60];
};
VRNIC_ASSERT_SIZE(struct vrnic_qp_dbrec, 128);
VRNIC_ASSERT_OFFSET(struct vrnic_qp_dbrec, rq_pi, 64);

/* Completion queue; 8-byte aligned, read by the device in one piece. */
struct vrnic_cq_dbrec {
	vrnic_le32 ci;  /* completions consumed, low 32 bits */
	vrnic_le32 arm; /* VRNIC_CQ_ARM_* */
};
VRNIC_ASSERT_SIZE(struct vrnic_cq_dbrec, 8);

/*
 * To arm: write ci, then arm with the sequence of the last arming plus one,
 * then ring VRNIC_DB_TYPE_CQ_ARM. When a completion of the wanted kind is at or
 * past ci and came after the queue's last event, then or later, one event
 * follows and the queue is no longer armed. An unchanged sequence is not a new
 * request.
 */
#define VRNIC_CQ_ARM_SEQ_MASK 0x3fffffffu
#define VRNIC_CQ_ARM_SOLICITED (1u << 30) /* only solicited completions and errors */

/* Shared receive queue; 8-byte aligned. */
struct vrnic_srq_dbrec {
	vrnic_le32 pi; /* entries posted */
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_srq_dbrec, 8);

/* Ethernet transmit or receive queue; 8-byte aligned. */
struct vrnic_eth_dbrec {
	vrnic_le32 pi; /* entries posted */
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_eth_dbrec, 8);

/* ---- work queues ---- */

/* Scatter/gather entry. A length of zero is no bytes. */
struct vrnic_sge {
	vrnic_le64 addr; /* virtual address within the memory region */
	vrnic_le32 length;
	vrnic_le32 lkey;
};
VRNIC_ASSERT_SIZE(struct vrnic_sge, 16);

/*
 * Send queue entry. Its size (stride) is chosen at creation: 64, 128, 256, 512
 * or 1024 bytes. The scatter/gather list, or inline data, begins at offset 32;
 * for the opcodes with a second segment, which is there, at the offset that is
 * given with it.
 */
struct vrnic_sqe {
	vrnic_u8 opcode; /* VRNIC_OP_* */
	vrnic_u8 flags;  /* VRNIC_SQE_* */
	vrnic_u8 num_sge; /* 0 with VRNIC_SQE_INLINE */
	vrnic_u8 reserved0; /* zero */
	vrnic_le32 imm;   /* immediate data as it goes on the wire (four octets, not swapped), or key to invalidate */
	vrnic_le32 inline_length; /* bytes, with VRNIC_SQE_INLINE, else zero */
	vrnic_le32 rkey;
	vrnic_le64 remote_addr;
	vrnic_le32 xrc_srqn; /* XRC: the peer's shared receive queue, else zero */
	vrnic_le32 reserved1; /* zero */
	struct vrnic_sge sge[2]; /* as many as num_sge says and the stride holds */
};
VRNIC_ASSERT_SIZE(struct vrnic_sqe, 64);
VRNIC_ASSERT_OFFSET(struct vrnic_sqe, imm, 4);
VRNIC_ASSERT_OFFSET(struct vrnic_sqe, remote_addr, 16);
VRNIC_ASSERT_OFFSET(struct vrnic_sqe, sge, 32);

#define VRNIC_SQE_DATA_OFFSET 32

/* Second segment of VRNIC_OP_COMPARE_SWAP and VRNIC_OP_FETCH_ADD, at offset 32; the list begins at 48. */
struct vrnic_sqe_atomic {
	vrnic_le64 swap_or_add;
	vrnic_le64 compare; /* zero for VRNIC_OP_FETCH_ADD */
};
VRNIC_ASSERT_SIZE(struct vrnic_sqe_atomic, 16);

#define VRNIC_SQE_ATOMIC_DATA_OFFSET 48

/*
 * Second segment of VRNIC_OP_BIND_MW, at offset 32. In the header rkey is the
 * window's key from now on, its index that of the window, and remote_addr the
 * first address of the region that it grants. No list.
 */
struct vrnic_sqe_bind {
	vrnic_le64 length; /* bytes; 0: type 1 only, the window grants nothing any more */
	vrnic_le32 mr_key;
	vrnic_le32 access; /* VRNIC_ACCESS_REMOTE_*, VRNIC_ACCESS_ZERO_BASED (type 2) */
};
VRNIC_ASSERT_SIZE(struct vrnic_sqe_bind, 16);

/*
 * Second segment of VRNIC_OP_REG_MR, at offset 32. In the header rkey is the region's key from now
 * on, its index that of a region of ALLOC_FAST_MR that grants nothing now, and remote_addr the
 * address of its first byte. No list. The device reads the page list when the request is carried out.
 */
struct vrnic_sqe_reg {
	vrnic_le64 pages;  /* bus address of num_pages addresses (vrnic_le64), 8-byte aligned */
	vrnic_le64 length; /* bytes, at least 1 */
	vrnic_le32 num_pages;
	vrnic_le32 offset; /* of the first byte in the first page */
	vrnic_le32 access; /* VRNIC_ACCESS_*, neither MW_BIND nor ZERO_BASED */
	vrnic_u8 page_shift;
	vrnic_u8 reserved[3]; /* zero */
};
VRNIC_ASSERT_SIZE(struct vrnic_sqe_reg, 32);

/* Second segment of VRNIC_OP_FLUSH, at offset 32. No list. */
struct vrnic_sqe_flush {
	vrnic_le32 length; /* bytes from remote_addr on */
	vrnic_u8 placement; /* VRNIC_FLUSH_GLOBAL */
	vrnic_u8 level;     /* VRNIC_FLUSH_RANGE, VRNIC_FLUSH_MR */
	vrnic_u8 reserved[10]; /* zero */
};
VRNIC_ASSERT_SIZE(struct vrnic_sqe_flush, 16);

/* Numbered as enum ibv_placement_type and enum ibv_selectivity_level. */
#define VRNIC_FLUSH_GLOBAL (1u << 0)
#define VRNIC_FLUSH_PERSISTENT (1u << 1)
#define VRNIC_FLUSH_RANGE 0
#define VRNIC_FLUSH_MR 1 /* all that rkey stands for */

/* Address vector: how packets to a peer are addressed. */
struct vrnic_av {
	vrnic_u8 dgid[16];
	vrnic_le32 flow_label; /* 20 bits */
	vrnic_u8 dmac[6];
	vrnic_u8 hop_limit;
	vrnic_u8 traffic_class;
	vrnic_u8 sgid_index;
	vrnic_u8 sl;
	vrnic_le16 udp_sport; /* 0: the device chooses, 0xc000..0xffff */
};
VRNIC_ASSERT_SIZE(struct vrnic_av, 32);
VRNIC_ASSERT_OFFSET(struct vrnic_av, dmac, 20);

/* Second segment of every entry of a UD queue pair, at offset 32; the list, or inline data, begins at 80. */
struct vrnic_sqe_datagram {
	struct vrnic_av av;
	vrnic_le32 qpn;  /* of the peer; 0xffffff: a multicast group, av.dgid */
	vrnic_le32 qkey; /* bit 31 set: that of the queue pair instead (IBTA 10.2.5) */
	vrnic_le64 reserved; /* zero */
};
VRNIC_ASSERT_SIZE(struct vrnic_sqe_datagram, 48);

#define VRNIC_SQE_DATAGRAM_DATA_OFFSET 80
#define VRNIC_MULTICAST_QPN 0xffffff

#define VRNIC_SQE_STRIDE_MIN_LOG 6
#define VRNIC_SQE_STRIDE_MAX_LOG 10

#define VRNIC_SQE_SIGNALED (1u << 0)  /* a completion also when it succeeds */
#define VRNIC_SQE_FENCE (1u << 1)     /* starts after all earlier READs and atomics of this queue are done */
#define VRNIC_SQE_SOLICITED (1u << 2) /* the peer's completion is a solicited one */
#define VRNIC_SQE_INLINE (1u << 3)    /* the data is in the entry */

/* Operations: in send queue entries and completions. */
#define VRNIC_OP_SEND 0x01
#define VRNIC_OP_SEND_IMM 0x02
#define VRNIC_OP_WRITE 0x03
#define VRNIC_OP_WRITE_IMM 0x04
#define VRNIC_OP_READ 0x05
#define VRNIC_OP_SEND_INV 0x06 /* imm: the peer's key that is no longer to be valid */
#define VRNIC_OP_COMPARE_SWAP 0x07 /* the list takes the eight bytes that were there, little-endian */
#define VRNIC_OP_FETCH_ADD 0x08
#define VRNIC_OP_LOCAL_INV 0x09 /* imm: the own key that is no longer to be valid */
#define VRNIC_OP_BIND_MW 0x0a
#define VRNIC_OP_ATOMIC_WRITE 0x0b /* eight bytes, at an address that is a multiple of eight */
#define VRNIC_OP_FLUSH 0x0c
#define VRNIC_OP_REG_MR 0x0d /* privileged queue pairs only */
#define VRNIC_OP_RECV 0x80     /* completions only: a SEND arrived */
#define VRNIC_OP_RECV_IMM 0x81 /* a SEND with immediate arrived */
#define VRNIC_OP_RECV_WRITE_IMM 0x82 /* a WRITE with immediate arrived */
#define VRNIC_OP_RECV_INV 0x83 /* a SEND with invalidation arrived, imm: the key that is no longer valid */
#define VRNIC_OP_ETH_TX 0xc0
#define VRNIC_OP_ETH_RX 0xc1

/*
 * Receive queue entry, or one of a shared receive queue; stride 32 .. 512 bytes,
 * the list fills it.
 */
struct vrnic_rqe {
	vrnic_le32 num_sge;
	vrnic_le32 tag; /* shared receive queue: comes back in the completion, else zero */
	vrnic_u8 reserved[8]; /* zero */
	struct vrnic_sge sge[1]; /* as many as num_sge says and the stride holds */
};
VRNIC_ASSERT_SIZE(struct vrnic_rqe, 32);
VRNIC_ASSERT_OFFSET(struct vrnic_rqe, sge, 16);

#define VRNIC_RQE_DATA_OFFSET 16
#define VRNIC_RQE_STRIDE_MIN_LOG 5
#define VRNIC_RQE_STRIDE_MAX_LOG 9

/* ---- completions ---- */

/*
 * Written whole but for seq, then seq, with release order. The entry of index i
 * (64 bits, from 0 at creation, never restarted) is valid when seq is i + 1; the
 * driver hands in a ring of zeroes.
 */
struct vrnic_cqe {
	vrnic_le32 qpn;      /* QP, or Ethernet queue */
	vrnic_le32 src_qpn;  /* datagrams */
	vrnic_u8 opcode;     /* VRNIC_OP_*; meaningless when status is not success */
	vrnic_u8 status;     /* VRNIC_WC_* */
	vrnic_le16 flags;    /* VRNIC_CQE_* */
	vrnic_le32 syndrome; /* vendor syndrome: VRNIC_SYND_*, for people */
	vrnic_le32 byte_len; /* received or read bytes */
	vrnic_le32 imm;      /* immediate data as it came, or invalidated key */
	vrnic_le32 wqe_index; /* index of the entry in its work queue; with srqn: its tag */
	vrnic_u8 smac[6];    /* datagrams and Ethernet */
	vrnic_le16 vlan;     /* with VRNIC_CQE_VLAN */
	vrnic_u8 network_type; /* 1: IPv4, 2: IPv6 */
	vrnic_u8 sl;
	vrnic_le16 pkey_index;
	vrnic_le64 timestamp; /* VRNIC_REG_CLOCK, ns */
	vrnic_le32 srqn;     /* the entry was one of this shared receive queue; 0: of none */
	vrnic_le32 reserved;
	vrnic_le64 seq;
};
VRNIC_ASSERT_SIZE(struct vrnic_cqe, 64);
VRNIC_ASSERT_OFFSET(struct vrnic_cqe, opcode, 8);
VRNIC_ASSERT_OFFSET(struct vrnic_cqe, wqe_index, 24);
VRNIC_ASSERT_OFFSET(struct vrnic_cqe, timestamp, 40);
VRNIC_ASSERT_OFFSET(struct vrnic_cqe, seq, 56);

#define VRNIC_CQE_IMM (1u << 0)
#define VRNIC_CQE_INV (1u << 1)
#define VRNIC_CQE_GRH (1u << 2)  /* datagrams: the first 40 bytes of the buffer are the IP header (IPv4: its last 20) */
#define VRNIC_CQE_SOLICITED (1u << 3)
#define VRNIC_CQE_VLAN (1u << 4)
#define VRNIC_CQE_SEND_QUEUE (1u << 5) /* the entry was of the send queue (told also when status is an error) */

/* Completion status: IBTA 11.6.2, numbered as enum ibv_wc_status. */
#define VRNIC_WC_SUCCESS 0
#define VRNIC_WC_LOC_LEN_ERR 1
#define VRNIC_WC_LOC_QP_OP_ERR 2
#define VRNIC_WC_LOC_PROT_ERR 4
#define VRNIC_WC_WR_FLUSH_ERR 5
#define VRNIC_WC_MW_BIND_ERR 6 /* memory management: BIND_MW, LOCAL_INV */
#define VRNIC_WC_BAD_RESP_ERR 7
#define VRNIC_WC_LOC_ACCESS_ERR 8
#define VRNIC_WC_REM_INV_REQ_ERR 9
#define VRNIC_WC_REM_ACCESS_ERR 10
#define VRNIC_WC_REM_OP_ERR 11
#define VRNIC_WC_RETRY_EXC_ERR 12
#define VRNIC_WC_RNR_RETRY_EXC_ERR 13
#define VRNIC_WC_FATAL_ERR 19
#define VRNIC_WC_GENERAL_ERR 21

/* Vendor syndrome: the reason behind a status. */
#define VRNIC_SYND_NONE 0
#define VRNIC_SYND_BAD_KEY 1        /* no such memory region */
#define VRNIC_SYND_WRONG_PD 2
#define VRNIC_SYND_OUT_OF_BOUNDS 3
#define VRNIC_SYND_NO_PERMISSION 4
#define VRNIC_SYND_DMA_FAILED 5     /* the bus refused the address */
#define VRNIC_SYND_BAD_WQE 6        /* malformed entry */
#define VRNIC_SYND_BAD_OPCODE 7
#define VRNIC_SYND_TOO_LONG 8       /* longer than the receive buffer or the largest message */
#define VRNIC_SYND_NAK_INVALID 9    /* the peer's NAK: invalid request */
#define VRNIC_SYND_NAK_ACCESS 10    /* remote access error */
#define VRNIC_SYND_NAK_OPERATIONAL 11
#define VRNIC_SYND_NAK_SEQUENCE 12
#define VRNIC_SYND_TIMEOUT 13       /* retries used up without an answer */
#define VRNIC_SYND_RNR 14
#define VRNIC_SYND_BAD_RESPONSE 15
#define VRNIC_SYND_FLUSHED 16
#define VRNIC_SYND_RING_INDEX 17    /* producer index ahead of the ring */
#define VRNIC_SYND_MISALIGNED 18    /* atomic at an address that is no multiple of eight */
#define VRNIC_SYND_WRONG_QP 19      /* the window is bound to another queue pair */
#define VRNIC_SYND_WINDOW_STATE 20  /* the window or region is bound already, or its type does not allow it */
#define VRNIC_SYND_SRQ_FAILED 21    /* the shared receive queue could not be used */
#define VRNIC_SYND_BAD_SRQ 22       /* XRC: no such shared receive queue, or it is of another domain */
#define VRNIC_SYND_BAD_ADDRESS 23   /* the address vector: no such source GID, a destination of another kind, ... */
#define VRNIC_SYND_INJECTED 24      /* the device's owner asked for the error */
#define VRNIC_SYND_NOT_PRIVILEGED 25 /* a registration by a queue pair that may not */

/* ---- events ---- */

/* Event queue entry; seq as in a completion. */
struct vrnic_eqe {
	vrnic_le32 type;   /* VRNIC_EVENT_* */
	vrnic_le32 number; /* CQN, QPN, SRQN, port (1) */
	vrnic_le32 code;   /* reason, VRNIC_SYND_* or 0 */
	vrnic_le32 reserved0;
	vrnic_le64 reserved1;
	vrnic_le64 seq;
};
VRNIC_ASSERT_SIZE(struct vrnic_eqe, 32);
VRNIC_ASSERT_OFFSET(struct vrnic_eqe, seq, 24);

#define VRNIC_EVENT_COMPLETION 0x01 /* the only one in a completion event queue */
#define VRNIC_EVENT_CQ_ERROR 0x10
#define VRNIC_EVENT_QP_FATAL 0x20
#define VRNIC_EVENT_QP_REQ_ERROR 0x21    /* IBTA 11.6.3: invalid request, responder */
#define VRNIC_EVENT_QP_ACCESS_ERROR 0x22 /* local access violation, responder */
#define VRNIC_EVENT_QP_COMM_EST 0x23     /* first packet arrived in RTR */
#define VRNIC_EVENT_QP_SQ_DRAINED 0x24
#define VRNIC_EVENT_QP_LAST_WQE 0x25     /* in ERR: takes nothing more from its shared receive queue */
#define VRNIC_EVENT_SRQ_LIMIT 0x28       /* SRQN: fewer entries are left than its limit; once */
#define VRNIC_EVENT_SRQ_ERROR 0x29       /* SRQN: its memory could not be used */
#define VRNIC_EVENT_STREAM 0x2c           /* handle: it was armed and has records; code 1: it failed */
#define VRNIC_EVENT_PORT_UP 0x30
#define VRNIC_EVENT_PORT_DOWN 0x31
#define VRNIC_EVENT_DEVICE_FATAL 0x40

/* ---- Ethernet ---- */

/* Piece of a frame, by bus address. */
struct vrnic_eth_seg {
	vrnic_le64 addr;
	vrnic_le32 length;
	vrnic_le32 reserved; /* zero */
};
VRNIC_ASSERT_SIZE(struct vrnic_eth_seg, 16);

#define VRNIC_ETH_TX_SEGS 3

/* Transmit queue entry: a whole frame, from the destination MAC, without FCS. */
struct vrnic_eth_txd {
	vrnic_le32 num_seg; /* 1..VRNIC_ETH_TX_SEGS */
	vrnic_le32 flags;   /* zero */
	vrnic_le64 reserved; /* zero */
	struct vrnic_eth_seg seg[VRNIC_ETH_TX_SEGS];
};
VRNIC_ASSERT_SIZE(struct vrnic_eth_txd, 64);

/* Receive queue entry: one buffer; a frame that is longer is dropped and counted. */
struct vrnic_eth_rxd {
	struct vrnic_eth_seg buf;
};
VRNIC_ASSERT_SIZE(struct vrnic_eth_rxd, 16);

#endif /* VRNIC_RING_H */
