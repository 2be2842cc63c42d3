/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * The admin queue: how the driver makes, changes and ends every object.
 *
 * Two rings of 2^ADMIN_SIZE entries of 128 bytes. The driver writes commands at
 * its producer index and then the index to ADMIN_DB. The device answers each
 * with one completion, in any order; a completion is valid when its phase is the
 * pass over the ring, counted from 1: (index >> ADMIN_SIZE) + 1. The driver
 * never has more commands outstanding than the ring has entries, so that a
 * completion always has a place. Reserved fields are zero; a command in which
 * one is not fails with VRNIC_STATUS_RESERVED.
 */
#ifndef VRNIC_ADMIN_H
#define VRNIC_ADMIN_H

#include "vrnic_fault.h"
#include "vrnic_ring.h"
#include "vrnic_stream.h"
#include "vrnic_types.h"

#define VRNIC_ADMIN_ENTRY_SIZE 128
#define VRNIC_ADMIN_SIZE_MIN_LOG 1
#define VRNIC_ADMIN_SIZE_MAX_LOG 10

/* Opcodes, with command and response structures where they have them. */
#define VRNIC_ADMIN_QUERY_DEVICE 0x01   /* vrnic_cmd_query; writes struct vrnic_device_caps */
#define VRNIC_ADMIN_QUERY_COUNTERS 0x02 /* vrnic_cmd_query_counters; writes struct vrnic_counters */
#define VRNIC_ADMIN_QUERY_OBJECT 0x03   /* vrnic_cmd_query_object; writes one of vrnic_contexts.h */
#define VRNIC_ADMIN_CALL_OBJECT 0x04    /* vrnic_cmd_call_object */
#define VRNIC_ADMIN_CREATE_EQ 0x10      /* vrnic_cmd_create_eq; response: vrnic_resp_handle */
#define VRNIC_ADMIN_DESTROY_EQ 0x11     /* vrnic_cmd_handle */
#define VRNIC_ADMIN_ALLOC_UAR 0x12      /* no fields; response: vrnic_resp_handle, the doorbell slot */
#define VRNIC_ADMIN_FREE_UAR 0x13       /* vrnic_cmd_handle */
#define VRNIC_ADMIN_CREATE_ETH_QUEUE 0x20  /* vrnic_cmd_create_eth_queue; response: vrnic_resp_handle */
#define VRNIC_ADMIN_DESTROY_ETH_QUEUE 0x21 /* vrnic_cmd_handle */
#define VRNIC_ADMIN_SET_PORT 0x22       /* vrnic_cmd_set_port */
#define VRNIC_ADMIN_ALLOC_PD 0x30       /* no fields; response: vrnic_resp_handle */
#define VRNIC_ADMIN_DEALLOC_PD 0x31     /* vrnic_cmd_handle */
#define VRNIC_ADMIN_SET_GID 0x32        /* vrnic_cmd_set_gid */
#define VRNIC_ADMIN_REG_MR 0x33         /* vrnic_cmd_reg_mr; response: vrnic_resp_handle, the key */
#define VRNIC_ADMIN_DEREG_MR 0x34       /* vrnic_cmd_handle, the key */
#define VRNIC_ADMIN_REREG_MR 0x35       /* vrnic_cmd_rereg_mr */
#define VRNIC_ADMIN_ALLOC_MW 0x36       /* vrnic_cmd_alloc_mw; response: vrnic_resp_handle, the key */
#define VRNIC_ADMIN_DEALLOC_MW 0x37     /* vrnic_cmd_handle, a key of the window: its key byte does not count */
#define VRNIC_ADMIN_ALLOC_XRCD 0x38     /* no fields; response: vrnic_resp_handle, 1 or more */
#define VRNIC_ADMIN_DEALLOC_XRCD 0x39   /* vrnic_cmd_handle */
#define VRNIC_ADMIN_REVOKE_MR 0x3a      /* vrnic_cmd_handle, the key: it stays taken, but grants nothing */
#define VRNIC_ADMIN_ALLOC_DMA_MR 0x3b   /* vrnic_cmd_alloc_dma_mr; response: vrnic_resp_handle, the key */
#define VRNIC_ADMIN_ALLOC_FAST_MR 0x3c  /* vrnic_cmd_alloc_fast_mr; response: vrnic_resp_handle, the key */
#define VRNIC_ADMIN_CREATE_CQ 0x40      /* vrnic_cmd_create_cq; response: vrnic_resp_handle */
#define VRNIC_ADMIN_DESTROY_CQ 0x41     /* vrnic_cmd_handle */
#define VRNIC_ADMIN_RESIZE_CQ 0x42      /* vrnic_cmd_resize_cq */
#define VRNIC_ADMIN_MODERATE_CQ 0x43    /* vrnic_cmd_moderate_cq */
#define VRNIC_ADMIN_CREATE_QP 0x50      /* vrnic_cmd_create_qp; response: vrnic_resp_handle */
#define VRNIC_ADMIN_MODIFY_QP 0x51      /* vrnic_cmd_modify_qp */
#define VRNIC_ADMIN_QUERY_QP 0x52       /* vrnic_cmd_handle; response: vrnic_resp_query_qp */
#define VRNIC_ADMIN_DESTROY_QP 0x53     /* vrnic_cmd_handle; done means: no more DMA, completion or event of it */
#define VRNIC_ADMIN_ATTACH_MCAST 0x54   /* vrnic_cmd_mcast */
#define VRNIC_ADMIN_DETACH_MCAST 0x55   /* vrnic_cmd_mcast */
#define VRNIC_ADMIN_CREATE_SRQ 0x60     /* vrnic_cmd_create_srq; response: vrnic_resp_handle, 1 or more */
#define VRNIC_ADMIN_MODIFY_SRQ 0x61     /* vrnic_cmd_modify_srq */
#define VRNIC_ADMIN_QUERY_SRQ 0x62      /* vrnic_cmd_handle; response: vrnic_resp_query_srq */
#define VRNIC_ADMIN_DESTROY_SRQ 0x63    /* vrnic_cmd_handle */
#define VRNIC_ADMIN_RESIZE_SRQ 0x64     /* vrnic_cmd_resize_srq */
#define VRNIC_ADMIN_CREATE_COUNTERS 0x70  /* no fields; response: vrnic_resp_handle, 1 or more */
#define VRNIC_ADMIN_DESTROY_COUNTERS 0x71 /* vrnic_cmd_handle */
#define VRNIC_ADMIN_BIND_COUNTERS 0x72    /* vrnic_cmd_bind_counters */
#define VRNIC_ADMIN_CREATE_FAULT 0x80     /* vrnic_cmd_create_fault; response: vrnic_resp_handle, 1 or more */
#define VRNIC_ADMIN_MODIFY_FAULT 0x81     /* vrnic_cmd_modify_fault */
#define VRNIC_ADMIN_DESTROY_FAULT 0x82    /* vrnic_cmd_handle */
#define VRNIC_ADMIN_CREATE_STREAM 0x90    /* vrnic_cmd_create_stream; response: vrnic_resp_handle, 1 or more */
#define VRNIC_ADMIN_DESTROY_STREAM 0x91   /* vrnic_cmd_handle; done means: no more DMA or event of it */
#define VRNIC_ADMIN_WATCH 0x92            /* vrnic_cmd_watch */
#define VRNIC_ADMIN_MODIFY_STREAM 0x93    /* vrnic_cmd_modify_stream */

/* Status of a completion. */
#define VRNIC_STATUS_OK 0
#define VRNIC_STATUS_BAD_OPCODE 1
#define VRNIC_STATUS_RESERVED 2     /* a reserved field is not zero */
#define VRNIC_STATUS_INVALID 3      /* a field has a value that it cannot have; detail: its offset in the command */
#define VRNIC_STATUS_NO_OBJECT 4    /* a handle names nothing; detail: the field's offset */
#define VRNIC_STATUS_BUSY 5         /* others still use the object */
#define VRNIC_STATUS_LIMIT 6        /* more than the device has */
#define VRNIC_STATUS_DMA 7          /* guest memory could not be reached */
#define VRNIC_STATUS_BAD_STATE 8    /* not in this state of the object (QP transitions) */
#define VRNIC_STATUS_UNSUPPORTED 9  /* known, but not of this device */
#define VRNIC_STATUS_PERMISSION 10  /* the objects belong to different owners */

struct vrnic_admin_cmd {
	vrnic_le16 opcode;
	vrnic_le16 tag; /* returned in the completion */
	vrnic_le32 reserved;
	vrnic_u8 payload[120]; /* one of vrnic_cmd_*, the rest zero */
};
VRNIC_ASSERT_SIZE(struct vrnic_admin_cmd, VRNIC_ADMIN_ENTRY_SIZE);
VRNIC_ASSERT_OFFSET(struct vrnic_admin_cmd, payload, 8);

struct vrnic_admin_cpl {
	vrnic_le16 tag;
	vrnic_le16 status;  /* VRNIC_STATUS_* */
	vrnic_le32 detail;  /* see the status */
	vrnic_u8 payload[112]; /* one of vrnic_resp_*, the rest zero */
	vrnic_le32 reserved;
	vrnic_le32 phase;   /* written last */
};
VRNIC_ASSERT_SIZE(struct vrnic_admin_cpl, VRNIC_ADMIN_ENTRY_SIZE);
VRNIC_ASSERT_OFFSET(struct vrnic_admin_cpl, payload, 8);
VRNIC_ASSERT_OFFSET(struct vrnic_admin_cpl, phase, 124);

/* ---- pieces ---- */

/*
 * Guest memory as pages of one size.
 * levels 0: addr is the first page of one contiguous range;
 * levels 1: addr is a table of num_pages page addresses, contiguous;
 * levels 2 and 3: addr is a table of tables. Each table below the top is 4 KiB of
 * 512 addresses; the top holds as many as are needed.
 * Table entries are 8 bytes, little-endian; tables are 8-byte aligned (4 KiB below
 * the top), pages are aligned to their size. The device reads the tables while it
 * carries out the command; after its completion they may go.
 */
struct vrnic_page_list {
	vrnic_le64 addr;
	vrnic_le32 num_pages; /* at least 1; levels 0: at least 1, pages of the range */
	vrnic_le32 offset;    /* where the memory begins in the first page, less than a page */
	vrnic_u8 page_shift;  /* 12..30 */
	vrnic_u8 levels;      /* 0..3 */
	vrnic_u8 reserved[6];
};
VRNIC_ASSERT_SIZE(struct vrnic_page_list, 24);

#define VRNIC_PAGE_SHIFT_MIN 12
#define VRNIC_PAGE_SHIFT_MAX 30
#define VRNIC_PAGE_LEVELS_MAX 3
#define VRNIC_PAGE_TABLE_ENTRIES 512

struct vrnic_cmd_handle {
	vrnic_le32 handle;
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_handle, 8);

struct vrnic_resp_handle {
	vrnic_le32 handle;
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_resp_handle, 8);

/* ---- device ---- */

struct vrnic_cmd_query {
	vrnic_le64 addr;   /* where the answer goes, contiguous, 8-byte aligned */
	vrnic_le32 length; /* room there; a shorter one cuts the answer, at least 8 */
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_query, 16);

/* Whose counters, when they are not those of a set. */
#define VRNIC_COUNTERS_DEVICE 0           /* all that the device has counted since its reset */
#define VRNIC_COUNTERS_UNBOUND 0xffffffff /* of that, what no set has counted */

struct vrnic_cmd_query_counters {
	struct vrnic_cmd_query answer;
	vrnic_le32 counters; /* a set, or one of the above */
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_query_counters, 24);

struct vrnic_cmd_query_object {
	struct vrnic_cmd_query answer;
	vrnic_le32 type;   /* VRNIC_CONTEXT_* */
	vrnic_le32 number; /* of the object */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_query_object, 24);

/* Does something to an object that it would else do by itself: for those who test what comes of it. */
#define VRNIC_CALL_QP_TIMEOUT 1 /* its retransmission timer runs out now; BAD_STATE: it does not run */
#define VRNIC_CALL_CQ_EVENT 1   /* an event, as if it was armed and a completion had come */
#define VRNIC_CALL_SRQ_LIMIT 1  /* the event that its limit was reached, which stays as it is */

struct vrnic_cmd_call_object {
	vrnic_le32 type;      /* VRNIC_CONTEXT_QP, _CQ, _SRQ */
	vrnic_le32 number;
	vrnic_le32 operation; /* VRNIC_CALL_* of the type */
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_call_object, 16);

/* What the device offers. Limits are inclusive. */
struct vrnic_device_caps {
	vrnic_le64 features; /* VRNIC_CAP_* */
	vrnic_le64 max_mr_size;      /* bytes of one memory region */
	vrnic_le64 page_size_mask;   /* bit n: pages of 2^n bytes */
	vrnic_le32 max_mr_pages;     /* pages of one memory region */
	vrnic_le32 max_qps;
	vrnic_le32 max_cqs;
	vrnic_le32 max_mrs; /* memory regions and windows together */
	vrnic_le32 max_pds;
	vrnic_le32 max_eqs;
	vrnic_le32 max_uars;         /* with slot 0 */
	vrnic_le32 max_gids;
	vrnic_le32 max_msg_size;     /* bytes */
	vrnic_le32 max_sq_entries;
	vrnic_le32 max_rq_entries;
	vrnic_le32 max_cq_entries;
	vrnic_le32 max_eq_entries;
	vrnic_le32 max_send_sge;
	vrnic_le32 max_recv_sge;
	vrnic_le32 max_inline;       /* bytes */
	vrnic_le32 max_rd_atomic;    /* outstanding READs and atomics of one QP, as requester and as responder */
	vrnic_le32 max_eth_queues;   /* of each direction */
	vrnic_le32 max_eth_entries;
	vrnic_le32 max_mtu;          /* Ethernet payload, bytes */
	vrnic_le32 max_path_mtu;     /* RoCE payload, bytes */
	vrnic_le32 link_speed;       /* Mbit/s, for display */
	vrnic_le32 fw_version;       /* major << 16 | minor << 8 | patch of the device model */
	vrnic_le32 local_ack_delay;  /* IBTA 11.2.1.2, 4.096 us * 2^n */
	vrnic_le32 max_srqs;
	vrnic_le32 max_srq_entries;
	vrnic_le32 max_xrcds;
	vrnic_le32 max_mcast_groups;
	vrnic_le32 max_mcast_qps;    /* of one group */
	vrnic_le32 max_cq_count;     /* moderation: completions before an event */
	vrnic_le32 max_cq_period;    /* moderation: us before an event */
	vrnic_le32 max_fast_pages;   /* pages of a region that requests register */
	vrnic_le32 max_counter_sets; /* 0: there are none */
	vrnic_le32 max_faults;       /* rules of the guest at once; 0: it can give none */
	vrnic_le32 max_streams;
	vrnic_u8 reserved[76];
};
VRNIC_ASSERT_SIZE(struct vrnic_device_caps, 240);
VRNIC_ASSERT_OFFSET(struct vrnic_device_caps, max_mr_pages, 24);
VRNIC_ASSERT_OFFSET(struct vrnic_device_caps, local_ack_delay, 116);

#define VRNIC_CAP_RDMA (1ull << 0)
#define VRNIC_CAP_RC (1ull << 1)
#define VRNIC_CAP_UC (1ull << 2)
#define VRNIC_CAP_UD (1ull << 3)
#define VRNIC_CAP_XRC (1ull << 4)
#define VRNIC_CAP_QP_TYPES (VRNIC_CAP_RC | VRNIC_CAP_UC | VRNIC_CAP_UD | VRNIC_CAP_XRC)
#define VRNIC_CAP_ATOMIC (1ull << 16) /* COMPARE_SWAP, FETCH_ADD */
#define VRNIC_CAP_WINDOWS (1ull << 17) /* memory windows of type 1 and 2B */
#define VRNIC_CAP_ATOMIC_WRITE (1ull << 18)
#define VRNIC_CAP_FLUSH_GLOBAL (1ull << 19) /* FLUSH until others see it; there is none to persistence */
#define VRNIC_CAP_SRQ (1ull << 20)
#define VRNIC_CAP_MCAST (1ull << 21) /* multicast groups of UD queue pairs */
#define VRNIC_CAP_CQ_RESIZE (1ull << 22)
#define VRNIC_CAP_CQ_MODERATION (1ull << 23)
#define VRNIC_CAP_SRQ_RESIZE (1ull << 24)
#define VRNIC_CAP_FAST_REG (1ull << 25) /* regions that requests register: VRNIC_OP_REG_MR */
#define VRNIC_CAP_KERNEL (1ull << 26)   /* what kernel users need: keys of all memory, the GSI queue pair */

/* Everything the device counts, in one table; a later minor version appends. */
#define VRNIC_COUNTERS(X)                                                                          \
	X(eth_tx_packets) X(eth_tx_bytes) X(eth_tx_dropped) X(eth_tx_errors)                       \
	X(eth_rx_packets) X(eth_rx_bytes) X(eth_rx_multicast) X(eth_rx_no_buffer)                  \
	X(eth_rx_filtered) X(eth_rx_too_long) X(eth_rx_too_short) X(eth_rx_errors)                 \
	X(roce_tx_packets) X(roce_tx_bytes) X(roce_rx_packets) X(roce_rx_bytes)                    \
	X(roce_rx_malformed)       /* too short, wrong length, bad header */                       \
	X(roce_rx_bad_icrc) X(roce_rx_unknown_qp) X(roce_rx_wrong_source)                          \
	X(roce_rx_bad_pkey) X(roce_rx_bad_state) X(roce_rx_bad_opcode)                             \
	X(roce_rx_queue_full)      /* the receive backlog was full */                              \
	X(roce_duplicate_requests) X(roce_out_of_sequence) /* responder */                         \
	X(roce_packet_seq_err)     /* NAK sequence received */                                     \
	X(roce_rnr_nak_sent) X(roce_rnr_nak_received)                                              \
	X(roce_nak_sent) X(roce_local_ack_timeouts) X(roce_implied_nak_seq_err)                    \
	X(roce_retransmitted_packets) X(roce_retry_exceeded) X(roce_rnr_retry_exceeded)            \
	X(roce_acks_sent) X(roce_acks_received)                                                    \
	X(roce_write_requests) X(roce_read_requests) X(roce_send_requests) /* received */          \
	X(roce_atomic_requests)                                                                    \
	X(faults_dropped_packets)  /* on purpose, as all of faults_ */                             \
	X(wire_pauses)             /* the netdev was full */                                       \
	X(cq_overflows) X(completions) X(completion_errors) X(eq_overflows) X(interrupts)          \
	X(admin_commands) X(admin_errors) X(doorbells) X(doorbell_errors) X(mmio_errors)           \
	X(dma_errors) X(resets)                                                                    \
	X(roce_rx_bad_qkey)                                                                        \
	X(roce_rx_no_receive)       /* UC, UD: no receive entry, or too small a one */             \
	X(roce_rx_dropped_messages) /* UC: not all of it came, or it was not allowed */            \
	X(roce_np_ecn_marked) X(roce_np_cnp_sent) X(roce_rp_cnp_handled) /* annex A17.9 */         \
	X(faults_duplicated_packets) X(faults_delayed_packets) X(faults_reordered_packets)         \
	X(faults_corrupted_packets) X(faults_failed_commands) X(faults_lost_commands)              \
	X(faults_lost_interrupts) X(faults_delayed_interrupts) X(faults_failed_completions)        \
	X(faults_link_downs)

struct vrnic_counters {
#define VRNIC_COUNTER_FIELD(name) vrnic_le64 name;
	VRNIC_COUNTERS(VRNIC_COUNTER_FIELD)
#undef VRNIC_COUNTER_FIELD
};

/*
 * What is counted while the device works for a queue pair its set counts, too: its packets, what they
 * meet, its completions. A multicast packet is no queue pair's.
 */
struct vrnic_cmd_bind_counters {
	vrnic_le32 qpn;
	vrnic_le32 counters; /* 0: to none */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_bind_counters, 8);

/* ---- faults that the guest asks for: they end with a reset ---- */

struct vrnic_cmd_create_fault {
	struct vrnic_fault_rule rule;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_create_fault, 112);

/* Another rule in its place, which has seen nothing yet. */
struct vrnic_cmd_modify_fault {
	vrnic_le32 handle;
	vrnic_le32 reserved;
	struct vrnic_fault_rule rule;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_modify_fault, 120);

/* ---- streams: what the device did ---- */

struct vrnic_cmd_create_stream {
	vrnic_le32 kinds;   /* bit n: records of kind n (VRNIC_STREAM_FRAME ...) */
	vrnic_u8 log_size;  /* of the ring, bytes: VRNIC_STREAM_SIZE_MIN_LOG.._MAX_LOG; 0: none, it counts */
	vrnic_u8 everything; /* 1: of all objects, else of those it watches */
	vrnic_u8 reserved0[2];
	vrnic_le32 ring_offset;  /* of the ring, or the counts, in memory, 64-byte aligned */
	vrnic_le32 dbrec_offset; /* of struct vrnic_stream_dbrec, 64-byte aligned; zeroed */
	struct vrnic_page_list memory;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_create_stream, 40);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_stream, memory, 16);

/* Of other kinds from now on. */
struct vrnic_cmd_modify_stream {
	vrnic_le32 stream;
	vrnic_le32 kinds;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_modify_stream, 8);

/* What a stream tells of, or no longer does. Ends with either. */
struct vrnic_cmd_watch {
	vrnic_le32 stream;
	vrnic_le32 type;   /* VRNIC_CONTEXT_QP, _CQ, _SRQ, _KEY (its key byte does not count), _FAULT (of the guest) */
	vrnic_le32 number;
	vrnic_u8 on;       /* 0, 1 */
	vrnic_u8 reserved[3];
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_watch, 16);

/* ---- event queues ---- */

/*
 * Number 0 is the asynchronous event queue, made first; the others take completion events.
 * A completion queue has at most one event there that the driver has not yet consumed, and waits
 * while the event queue is full: no completion event is lost. An asynchronous one is, when its
 * queue is full.
 */
struct vrnic_cmd_create_eq {
	vrnic_le32 eqn;    /* 0..max_eqs-1, not in use */
	vrnic_le32 vector; /* MSI-X vector, or VRNIC_NO_VECTOR */
	vrnic_u8 log_size; /* entries, at least 2^1 */
	vrnic_u8 reserved[7];
	struct vrnic_page_list ring; /* zeroed */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_create_eq, 40);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_eq, ring, 16);

/* ---- Ethernet ---- */

/* While max_eth_queues is 1, the handle, doorbell number and completion's qpn of a queue is its direction. */
#define VRNIC_ETH_TX 0
#define VRNIC_ETH_RX 1

struct vrnic_cmd_create_eth_queue {
	vrnic_u8 direction; /* VRNIC_ETH_TX, VRNIC_ETH_RX */
	vrnic_u8 log_size;
	vrnic_u8 reserved[2];
	vrnic_le32 cqn;  /* of slot 0 */
	struct vrnic_page_list ring;
	vrnic_le64 dbrec; /* bus address of struct vrnic_eth_dbrec */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_create_eth_queue, 40);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_eth_queue, ring, 8);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_eth_queue, dbrec, 32);

#define VRNIC_PORT_UP (1u << 0)          /* administratively up; else Ethernet frames are dropped both ways */
#define VRNIC_PORT_PROMISC (1u << 1)
#define VRNIC_PORT_ALLMULTI (1u << 2)

/* The port, whole: what the network stack asked for last. */
struct vrnic_cmd_set_port {
	vrnic_le32 flags; /* VRNIC_PORT_* */
	vrnic_le32 mtu;   /* 68..max_mtu; longer received frames (mtu + 18) are dropped */
	vrnic_u8 mac[6];  /* unicast address in use, for Ethernet and RoCE */
	vrnic_u8 reserved[2];
	vrnic_le64 multicast_hash; /* bit n: addresses with n in the top 6 bits of their ether_crc_le() (no final complement) */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_set_port, 24);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_set_port, multicast_hash, 16);

/* ---- GIDs ---- */

/* All-zero gid: the entry is emptied. RoCEv2 only; an IPv4 address is ::ffff:a.b.c.d. */
struct vrnic_cmd_set_gid {
	vrnic_le32 index; /* 0..max_gids-1 */
	vrnic_le16 vlan;  /* 0xffff: none */
	vrnic_le16 reserved0;
	vrnic_u8 gid[16];
	vrnic_u8 smac[6]; /* source MAC of packets that use the entry */
	vrnic_u8 reserved1[2];
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_set_gid, 32);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_set_gid, gid, 8);

#define VRNIC_VLAN_NONE 0xffff

/* ---- memory regions ---- */

/* Access flags, numbered as enum ibv_access_flags. */
#define VRNIC_ACCESS_LOCAL_WRITE (1u << 0)
#define VRNIC_ACCESS_REMOTE_WRITE (1u << 1)
#define VRNIC_ACCESS_REMOTE_READ (1u << 2)
#define VRNIC_ACCESS_REMOTE_ATOMIC (1u << 3)
#define VRNIC_ACCESS_MW_BIND (1u << 4)       /* memory windows may be bound to it */
#define VRNIC_ACCESS_ZERO_BASED (1u << 5)    /* addresses begin at 0: iova is 0 */
#define VRNIC_ACCESS_FLUSH_GLOBAL (1u << 8)
#define VRNIC_ACCESS_RELAXED_ORDERING (1u << 20) /* accepted, without effect */
#define VRNIC_ACCESS_ALL                                                                           \
	(VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_READ |         \
	 VRNIC_ACCESS_REMOTE_ATOMIC | VRNIC_ACCESS_MW_BIND | VRNIC_ACCESS_ZERO_BASED |             \
	 VRNIC_ACCESS_FLUSH_GLOBAL | VRNIC_ACCESS_RELAXED_ORDERING)

/*
 * The key in the response is both L_Key and R_Key: index << 8 | key byte. The
 * device changes the key byte at each registration of an index, so that a stale
 * key fails.
 */
struct vrnic_cmd_reg_mr {
	vrnic_le32 pdn;
	vrnic_le32 access; /* VRNIC_ACCESS_* */
	vrnic_le64 iova;   /* virtual address of the first byte */
	vrnic_le64 length; /* 1..max_mr_size; iova + length does not wrap */
	struct vrnic_page_list pages; /* offset: of iova's byte in the first page */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_reg_mr, 48);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_reg_mr, pages, 24);

/*
 * Changes a region; its key stays. Refused (BUSY) while memory windows are bound to it. When it
 * fails the region is as it was.
 */
#define VRNIC_REREG_TRANSLATION (1u << 0) /* iova, length, pages; numbered as enum ibv_rereg_mr_flags */
#define VRNIC_REREG_PD (1u << 1)
#define VRNIC_REREG_ACCESS (1u << 2)

struct vrnic_cmd_rereg_mr {
	vrnic_le32 key;
	vrnic_le32 mask; /* VRNIC_REREG_*: which of the fields count */
	vrnic_le32 pdn;
	vrnic_le32 access;
	vrnic_le64 iova;
	vrnic_le64 length;
	struct vrnic_page_list pages;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_rereg_mr, 56);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_rereg_mr, pages, 32);

/*
 * A key of all that the device reaches: an address is one on the bus. For the kernel only, on a
 * domain of its own. DEREG_MR ends it.
 */
struct vrnic_cmd_alloc_dma_mr {
	vrnic_le32 pdn;
	vrnic_le32 access; /* VRNIC_ACCESS_*, neither MW_BIND nor ZERO_BASED */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_alloc_dma_mr, 8);

/*
 * A region without memory: it grants nothing until a request of a privileged queue pair registers it
 * (VRNIC_OP_REG_MR), and again nothing when it was invalidated. DEREG_MR ends it.
 */
struct vrnic_cmd_alloc_fast_mr {
	vrnic_le32 pdn;
	vrnic_le32 max_pages; /* 1..max_fast_pages */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_alloc_fast_mr, 8);

/* ---- memory windows: bound by requests of a QP (VRNIC_OP_BIND_MW) ---- */

#define VRNIC_MW_TYPE_1 1 /* numbered as enum ibv_mw_type */
#define VRNIC_MW_TYPE_2 2 /* type 2B: of the QP that bound it */

struct vrnic_cmd_alloc_mw {
	vrnic_le32 pdn;
	vrnic_u8 type; /* VRNIC_MW_TYPE_* */
	vrnic_u8 reserved[3];
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_alloc_mw, 8);

/* ---- completion queues ---- */

struct vrnic_cmd_create_cq {
	vrnic_le32 uar;
	vrnic_le32 eqn; /* 1..max_eqs-1: a completion event queue */
	vrnic_u8 log_size; /* entries, 0..log2(max_cq_entries) */
	vrnic_u8 reserved0[3];
	vrnic_le32 ring_offset;  /* of the ring in memory, 64-byte aligned */
	vrnic_le32 dbrec_offset; /* of struct vrnic_cq_dbrec in memory, 8-byte aligned */
	vrnic_le32 reserved1;
	struct vrnic_page_list memory;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_create_cq, 48);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_cq, memory, 24);

/*
 * Other memory for a queue: what was not consumed (ci of the old record, which
 * must not move during the command) is copied, with the same seq, and the
 * record in the new memory counts from then on; the driver has written ci and
 * arm there. Refused (INVALID, log_size) when the new ring is too small for what
 * is in the old one; then nothing has changed.
 */
struct vrnic_cmd_resize_cq {
	vrnic_le32 cqn;
	vrnic_u8 log_size;
	vrnic_u8 reserved[3];
	vrnic_le32 ring_offset; /* offsets as in vrnic_cmd_create_cq */
	vrnic_le32 dbrec_offset;
	struct vrnic_page_list memory;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_resize_cq, 40);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_resize_cq, memory, 16);

/*
 * The event of an armed queue waits for count completions, or for period from the
 * first of them, whatever is sooner. Solicited ones and errors, when only those
 * are asked for, count alone. count 0 or 1, or period 0: no waiting.
 */
struct vrnic_cmd_moderate_cq {
	vrnic_le32 cqn;
	vrnic_le32 count;  /* 0..max_cq_count */
	vrnic_le32 period; /* us, 0..max_cq_period */
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_moderate_cq, 16);

/* ---- shared receive queues ---- */

/*
 * Entries are taken in order and complete in any; so a completion names the entry
 * by the tag that the poster gave it. The entry is read into a copy when it is
 * taken: from then on its place in the ring may be used again.
 */
struct vrnic_cmd_create_srq {
	vrnic_le32 pdn;
	vrnic_le32 xrcdn; /* XRC: its domain; 0: an ordinary one */
	vrnic_le32 cqn;   /* XRC: where its entries complete; else zero */
	vrnic_u8 log_size;   /* entries */
	vrnic_u8 log_stride; /* 5..9, as of a receive queue */
	vrnic_u8 reserved0[2];
	vrnic_le32 ring_offset;  /* of the ring in memory, 64-byte aligned */
	vrnic_le32 dbrec_offset; /* of struct vrnic_srq_dbrec, 8-byte aligned */
	struct vrnic_page_list memory;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_create_srq, 48);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_srq, memory, 24);

/* When fewer than limit entries are left, one VRNIC_EVENT_SRQ_LIMIT, and the limit is 0 again. */
struct vrnic_cmd_modify_srq {
	vrnic_le32 srqn;
	vrnic_le32 limit; /* 0: no event; at most the ring's size */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_modify_srq, 8);

struct vrnic_resp_query_srq {
	vrnic_le32 limit;
	vrnic_le32 entries; /* posted and not taken */
};
VRNIC_ASSERT_SIZE(struct vrnic_resp_query_srq, 8);

/*
 * Other memory for a queue: entries that were posted and not taken are copied to
 * their places in the new ring, whose record counts from then on; the driver has
 * written pi there, and posts nothing meanwhile. Refused (INVALID, log_size) when
 * the new ring is too small for them; then nothing has changed.
 */
struct vrnic_cmd_resize_srq {
	vrnic_le32 srqn;
	vrnic_u8 log_size; /* the stride stays */
	vrnic_u8 reserved[3];
	vrnic_le32 ring_offset; /* offsets as in vrnic_cmd_create_srq */
	vrnic_le32 dbrec_offset;
	struct vrnic_page_list memory;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_resize_srq, 40);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_resize_srq, memory, 16);

/* ---- queue pairs ---- */

/* Numbered as enum ibv_qp_type. */
#define VRNIC_QPT_GSI 1 /* of management: always number 1, else as UD. One, for the kernel */
#define VRNIC_QPT_RC 2
#define VRNIC_QPT_UC 3
#define VRNIC_QPT_UD 4
#define VRNIC_QPT_XRC_INI 9  /* sends only */
#define VRNIC_QPT_XRC_TGT 10 /* receives into the XRC shared receive queues of its domain */

#define VRNIC_QP_SQ_SIG_ALL (1u << 0) /* every send entry completes with a completion */
#define VRNIC_QP_BLOCK_SELF_MCAST (1u << 1) /* UD: does not receive what it sends to a group itself */
#define VRNIC_QP_PRIVILEGED (1u << 2) /* of the kernel: may register memory by request; not XRC_TGT */

/* A queue with no entries: log_size VRNIC_NO_QUEUE. */
#define VRNIC_NO_QUEUE 0xff

/* Fields that a type has no use for are zero; XRC_TGT has neither rings nor memory, PD, slot and CQs. */
struct vrnic_cmd_create_qp {
	vrnic_le32 pdn;
	vrnic_le32 uar;
	vrnic_le32 send_cqn;
	vrnic_le32 recv_cqn; /* not of XRC_INI */
	vrnic_u8 type; /* VRNIC_QPT_* */
	vrnic_u8 sq_log_size;
	vrnic_u8 sq_log_stride; /* 6..10 */
	vrnic_u8 rq_log_size;
	vrnic_u8 rq_log_stride; /* 5..9 */
	vrnic_u8 reserved0[3];
	vrnic_le32 flags;       /* VRNIC_QP_* */
	vrnic_le32 sq_offset;   /* of the rings in memory, 64-byte aligned */
	vrnic_le32 rq_offset;
	vrnic_le32 dbrec_offset; /* of struct vrnic_qp_dbrec, 64-byte aligned */
	vrnic_le32 srqn;  /* shared receive queue of RC, UC and UD; 0: none. With one there is no receive queue */
	vrnic_le32 xrcdn; /* of XRC_TGT */
	struct vrnic_page_list memory;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_create_qp, 72);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_qp, flags, 24);
VRNIC_ASSERT_OFFSET(struct vrnic_cmd_create_qp, memory, 48);

/* QP states, numbered as enum ibv_qp_state. */
#define VRNIC_QPS_RESET 0
#define VRNIC_QPS_INIT 1
#define VRNIC_QPS_RTR 2
#define VRNIC_QPS_RTS 3
#define VRNIC_QPS_SQD 4
#define VRNIC_QPS_SQE 5
#define VRNIC_QPS_ERR 6

/* Which attributes a MODIFY_QP gives, numbered as enum ibv_qp_attr_mask. */
#define VRNIC_QP_STATE (1u << 0)
#define VRNIC_QP_CUR_STATE (1u << 1)
#define VRNIC_QP_EN_SQD_ASYNC_NOTIFY (1u << 2)
#define VRNIC_QP_ACCESS_FLAGS (1u << 3)
#define VRNIC_QP_PKEY_INDEX (1u << 4)
#define VRNIC_QP_PORT (1u << 5)
#define VRNIC_QP_QKEY (1u << 6)
#define VRNIC_QP_AV (1u << 7)
#define VRNIC_QP_PATH_MTU (1u << 8)
#define VRNIC_QP_TIMEOUT (1u << 9)
#define VRNIC_QP_RETRY_CNT (1u << 10)
#define VRNIC_QP_RNR_RETRY (1u << 11)
#define VRNIC_QP_RQ_PSN (1u << 12)
#define VRNIC_QP_MAX_QP_RD_ATOMIC (1u << 13)
#define VRNIC_QP_MIN_RNR_TIMER (1u << 15)
#define VRNIC_QP_SQ_PSN (1u << 16)
#define VRNIC_QP_MAX_DEST_RD_ATOMIC (1u << 17)
#define VRNIC_QP_DEST_QPN (1u << 20)

/* Attributes of a QP; IBTA 11.2.5.2. */
struct vrnic_qp_attr {
	vrnic_u8 state;     /* VRNIC_QPS_* */
	vrnic_u8 cur_state;
	vrnic_u8 path_mtu;  /* 1: 256 .. 5: 4096 bytes */
	vrnic_u8 timeout;   /* 4.096 us * 2^n, 0: none, 0..31 */
	vrnic_u8 retry_cnt; /* 0..7 */
	vrnic_u8 rnr_retry; /* 0..6, 7: for ever */
	vrnic_u8 min_rnr_timer; /* 0..31, IBTA table 46 */
	vrnic_u8 max_rd_atomic;
	vrnic_u8 max_dest_rd_atomic;
	vrnic_u8 sq_draining; /* query only */
	vrnic_u8 en_sqd_async_notify;
	vrnic_u8 port; /* 1 */
	vrnic_le16 pkey_index; /* 0 */
	vrnic_le16 reserved;
	vrnic_le32 access_flags; /* VRNIC_ACCESS_REMOTE_* */
	vrnic_le32 qkey;
	vrnic_le32 rq_psn; /* 24 bits */
	vrnic_le32 sq_psn;
	vrnic_le32 dest_qpn;
	struct vrnic_av av;
};
VRNIC_ASSERT_SIZE(struct vrnic_qp_attr, 68);
VRNIC_ASSERT_OFFSET(struct vrnic_qp_attr, access_flags, 16);
VRNIC_ASSERT_OFFSET(struct vrnic_qp_attr, av, 36);

struct vrnic_cmd_modify_qp {
	vrnic_le32 qpn;
	vrnic_le32 mask; /* VRNIC_QP_*: which of attr count */
	struct vrnic_qp_attr attr;
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_modify_qp, 80);

struct vrnic_resp_query_qp {
	struct vrnic_qp_attr attr;
	vrnic_le32 reserved;
};
VRNIC_ASSERT_SIZE(struct vrnic_resp_query_qp, 72);

/* A UD queue pair that receives what comes for a multicast group; each only once (BUSY). */
struct vrnic_cmd_mcast {
	vrnic_le32 qpn;
	vrnic_le32 reserved;
	vrnic_u8 gid[16]; /* ff00::/8, or ::ffff:224.0.0.0/4 */
};
VRNIC_ASSERT_SIZE(struct vrnic_cmd_mcast, 24);

#endif /* VRNIC_ADMIN_H */
