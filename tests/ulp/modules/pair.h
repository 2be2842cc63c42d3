/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two connected queue pairs of one device, with memory, as a kernel consumer
 * has them: left sends, right is sent to.
 */
#ifndef KERNEL_VERBS_PAIR_H
#define KERNEL_VERBS_PAIR_H

#include <linux/completion.h>
#include <rdma/ib_verbs.h>

#define PAIR_DEPTH 16
#define PAIR_SGES 16
#define PAIR_INLINE 64
#define PAIR_QKEY 0x11111111 /* of UD pairs */
#define PAIR_ORDER 10 /* of the memory: 4 MiB */
#define PAIR_HALF (1ul << (PAIR_ORDER - 1 + PAGE_SHIFT))

struct pair_setup {
	enum ib_poll_context context;
	int vector;
	bool srq; /* of the right one */
	bool moderation; /* completions wait for others, a little */
	enum ib_qp_type type; /* 0: RC */
	u8 rnr_retry; /* 7: for ever */
};

struct pair {
	struct ib_device *ib;
	enum ib_poll_context context;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_srq *srq;
	struct ib_qp *left;
	struct ib_qp *right;
	struct rdma_ah_attr to_self;
	u8 *cpu; /* the left's half, then the right's */
	u64 dma;
};

/* A request and what became of it. */
struct op {
	struct ib_cqe cqe;
	struct completion done;
	struct ib_wc wc;
};

void op_init(struct op *op);
/* False: it did not complete within 5 s. */
bool op_wait(struct pair *pair, struct op *op);

/* NULL: done. Otherwise the pair is to be destroyed all the same. */
const char *pair_create(struct pair *pair, struct ib_device *ib, int gid_index,
			const struct pair_setup *setup);
void pair_destroy(struct pair *pair);

static inline struct ib_sge pair_sge(const struct pair *pair, size_t offset, u32 length)
{
	return (struct ib_sge){ pair->dma + offset, length, pair->pd->local_dma_lkey };
}

#endif /* KERNEL_VERBS_PAIR_H */
