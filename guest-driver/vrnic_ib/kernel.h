/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Queues of the kernel's own consumers. What the provider does for a process in
 * user space is done here: rings, indices, doorbells. They are rung through
 * slot 0, the driver's own.
 *
 * Locks: of a work queue, then of a completion queue; both are taken in any
 * context. A completion queue's lock also guards the lists of queue pairs that
 * complete there and what is known to be done of their queues.
 */
#ifndef VRNIC_IB_KERNEL_H
#define VRNIC_IB_KERNEL_H

#include "vrnic_ib.h"

/* One contiguous piece that device and driver share, zeroed at first. */
struct vrnic_kmem {
	void *cpu;
	dma_addr_t dma;
	size_t size; /* bytes */
};

/* What a completion says of the request it is of: the device returns only its place. */
struct vrnic_posted {
	u64 wr_id; /* or a struct ib_cqe, as the consumer likes */
	enum ib_wc_opcode opcode;
};

/* Send or receive queue. Indices count entries and are free running. */
struct vrnic_kqueue {
	spinlock_t lock; /* of those who post */
	void *ring;
	u8 log_stride;
	u32 entries; /* a power of two, or 0: there is no queue */
	u32 max_wr;  /* what the consumer asked for, at most entries */
	u32 max_sge;
	u32 posted; /* under the lock */
	u32 done;   /* all before it are; under the completion queue's lock */
	vrnic_le32 *record; /* posted, for the device */
	struct vrnic_posted *work; /* by place in the ring */
};

struct vrnic_kqp {
	struct vrnic_qp *qp; /* whose it is */
	struct vrnic_kmem memory;
	struct vrnic_qp_dbrec *dbrec;
	struct vrnic_kqueue send;
	struct vrnic_kqueue recv;
	u32 max_inline; /* bytes */
	bool failed; /* in the error state: the device has to be told of receives, to flush them */
	struct list_head sender;   /* in the send CQ's list */
	struct list_head receiver; /* in the receive CQ's list */
};

struct vrnic_kcq {
	struct vrnic_cq *cq; /* whose it is */
	struct vrnic_kmem memory;
	spinlock_t lock;
	struct vrnic_cqe *ring;
	u32 entries; /* a power of two */
	struct vrnic_cq_dbrec *dbrec;
	u64 ci;
	u32 arm_sequence;
	bool armed_for_any;
	bool wants_events; /* was armed once */
	struct list_head senders;   /* struct vrnic_kqp */
	struct list_head receivers;
	struct list_head entry; /* in the device's list */
};

/*
 * Entries complete in any order. They are known by a tag, which is free again
 * when the completion was taken.
 */
struct vrnic_ksrq {
	struct vrnic_kmem memory;
	spinlock_t lock;
	void *ring;
	u8 log_stride;
	u32 entries;
	u32 max_sge;
	u32 posted;
	struct vrnic_srq_dbrec *dbrec;
	u64 *wr_ids; /* by tag */
	u32 *free_tags;
	u32 num_tags;
	u32 num_free;
};

/* kernel_memory.c */
int vrnic_kmem_alloc(struct ib_device *ib, struct vrnic_kmem *memory, size_t size);
void vrnic_kmem_free(struct ib_device *ib, struct vrnic_kmem *memory);
u8 vrnic_log_stride(size_t bytes, u8 min);
void vrnic_write_list(struct vrnic_sge *out, const struct ib_sge *list, int count);

/* kernel_cq.c */
int vrnic_kcq_create(struct vrnic_cq *cq, u32 entries, struct vrnic_cmd_create_cq *cmd);
void vrnic_kcq_listen(struct vrnic_cq *cq);
void vrnic_kcq_destroy(struct vrnic_cq *cq);
void vrnic_kcq_event(struct vrnic_cq *cq);
void vrnic_kcq_add(struct vrnic_cq *send_cq, struct vrnic_cq *recv_cq, struct vrnic_kqp *kqp);
void vrnic_kcq_remove(struct vrnic_cq *cq, struct vrnic_qp *qp);
void vrnic_kcq_discard(struct vrnic_cq *cq, struct vrnic_qp *qp);
void vrnic_kcq_wake(struct vrnic_cq *cq);

/* kernel_qp.c */
int vrnic_kqp_create(struct vrnic_qp *qp, const struct ib_qp_init_attr *init,
		     struct vrnic_cmd_create_qp *cmd);
void vrnic_kqp_free(struct vrnic_qp *qp);
void vrnic_kqp_leave(struct vrnic_qp *qp);
void vrnic_kqp_reset(struct vrnic_qp *qp);
void vrnic_kqp_fail(struct vrnic_qp *qp);

/* kernel_srq.c */
int vrnic_ksrq_create(struct vrnic_srq *srq, const struct ib_srq_init_attr *init,
		      struct vrnic_cmd_create_srq *cmd);
void vrnic_ksrq_free(struct vrnic_srq *srq);
bool vrnic_ksrq_complete(struct vrnic_srq *srq, u32 tag, u64 *wr_id);

#endif /* VRNIC_IB_KERNEL_H */
