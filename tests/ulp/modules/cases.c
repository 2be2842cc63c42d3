// SPDX-License-Identifier: GPL-2.0
/* What kernel consumers do with a device, right and wrong. A case ends with NULL, or with what is wrong. */
#include <linux/etherdevice.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/if_inet6.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "cases.h"
#include "pair.h"

#define NO_MEMORY "no memory"
#define NOT_TAKEN "the request was not taken"
#define NO_COMPLETION "a request does not complete"

struct context {
	struct pair pair;
	struct op sent;
	struct op received;
	struct op others[PAIR_DEPTH + 1];
};

static const char *wrong_status(const struct op *op, enum ib_wc_status wanted)
{
	if (op->wc.status == wanted)
		return NULL;
	pr_info("kernel_verbs: # status: %s, expected: %s\n", ib_wc_status_msg(op->wc.status),
		ib_wc_status_msg(wanted));
	return "the completion has another status";
}

/* Waits for the request, and compares how it ended. */
static const char *ends(struct pair *pair, struct op *op, enum ib_wc_status status)
{
	return op_wait(pair, op) ? wrong_status(op, status) : NO_COMPLETION;
}

static void fill(u8 *at, size_t length, u8 seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		at[i] = seed + i * 7 + (i >> 8);
}

static bool filled(const u8 *at, size_t length, u8 seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (at[i] != (u8)(seed + i * 7 + (i >> 8)))
			return false;
	return true;
}

static int post_recv_to(struct pair *pair, struct ib_qp *qp, struct op *op, size_t offset, u32 length)
{
	struct ib_sge sge = pair_sge(pair, offset, length);
	struct ib_recv_wr wr = { .wr_cqe = &op->cqe, .sg_list = &sge, .num_sge = 1 };

	op_init(op);
	if (qp->srq)
		return ib_post_srq_recv(pair->srq, &wr, NULL);
	return ib_post_recv(qp, &wr, NULL);
}

static int post_recv(struct pair *pair, struct op *op, size_t offset, u32 length)
{
	return post_recv_to(pair, pair->right, op, offset, length);
}

static int post_send_of(struct pair *pair, struct op *op, struct ib_sge *list, int count, int flags)
{
	struct ib_send_wr wr = { .wr_cqe = &op->cqe, .sg_list = list, .num_sge = count,
				 .opcode = IB_WR_SEND, .send_flags = IB_SEND_SIGNALED | flags };

	op_init(op);
	return ib_post_send(pair->left, &wr, NULL);
}

static int post_write(struct pair *pair, struct op *op, u32 length, u64 to, u32 rkey)
{
	struct ib_sge sge = pair_sge(pair, 0, length);
	struct ib_rdma_wr wr = {
		.wr = { .wr_cqe = &op->cqe, .sg_list = &sge, .num_sge = 1,
			.opcode = IB_WR_RDMA_WRITE, .send_flags = IB_SEND_SIGNALED },
		.remote_addr = to,
		.rkey = rkey,
	};

	op_init(op);
	return ib_post_send(pair->left, &wr.wr, NULL);
}

/* ---- sends ---- */

static const char *send_once(struct context *c, u32 length)
{
	struct pair *pair = &c->pair;
	struct ib_sge sge = pair_sge(pair, 0, length);
	const char *wrong;

	fill(pair->cpu, length, length);
	memset(pair->cpu + PAIR_HALF, 0, length);
	if (post_recv(pair, &c->received, PAIR_HALF, length) ||
	    post_send_of(pair, &c->sent, &sge, 1, 0))
		return NOT_TAKEN;
	wrong = ends(pair, &c->received, IB_WC_SUCCESS) ?: ends(pair, &c->sent, IB_WC_SUCCESS);
	if (wrong)
		return wrong;
	if (c->received.wc.byte_len != length || c->received.wc.opcode != IB_WC_RECV ||
	    c->received.wc.qp != pair->right || c->sent.wc.opcode != IB_WC_SEND)
		return "the completion tells another request";
	return filled(pair->cpu + PAIR_HALF, length, length) ? NULL : "other bytes came";
}

static const char *sends(struct context *c)
{
	int i;

	for (i = 0; i < 4 * PAIR_DEPTH; i++) { /* the rings go round */
		const char *wrong = send_once(c, 1 + i * 397);

		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *sends_pieces(struct context *c)
{
	struct pair *pair = &c->pair;
	struct ib_sge pieces[PAIR_SGES];
	const char *wrong;
	int i;

	for (i = 0; i < PAIR_SGES; i++) {
		fill(pair->cpu + 1000 * i, 101, i);
		pieces[i] = pair_sge(pair, 1000 * i, 101);
	}
	if (post_recv(pair, &c->received, PAIR_HALF, 4096) ||
	    post_send_of(pair, &c->sent, pieces, PAIR_SGES, 0))
		return NOT_TAKEN;
	wrong = ends(pair, &c->received, IB_WC_SUCCESS) ?: ends(pair, &c->sent, IB_WC_SUCCESS);
	for (i = 0; i < PAIR_SGES && !wrong; i++)
		if (!filled(pair->cpu + PAIR_HALF + 101 * i, 101, i))
			wrong = "other bytes came";
	return wrong;
}

static const char *sends_inline(struct context *c)
{
	struct pair *pair = &c->pair;
	u8 here[PAIR_INLINE]; /* of the stack: no DMA reaches it */
	struct ib_sge sge = { (uintptr_t)here, sizeof(here), 0 };
	const char *wrong;

	fill(here, sizeof(here), 3);
	if (post_recv(pair, &c->received, PAIR_HALF, sizeof(here)) ||
	    post_send_of(pair, &c->sent, &sge, 1, IB_SEND_INLINE))
		return NOT_TAKEN;
	memset(here, 0, sizeof(here));
	wrong = ends(pair, &c->received, IB_WC_SUCCESS) ?: ends(pair, &c->sent, IB_WC_SUCCESS);
	return wrong ?: (filled(pair->cpu + PAIR_HALF, sizeof(here), 3) ? NULL : "other bytes came");
}

#define DATAGRAM 100
#define GRH 40 /* before a datagram, in the receiver's memory */

static int post_datagram(struct pair *pair, struct op *op, struct ib_ah *ah, u32 to)
{
	struct ib_sge sge = pair_sge(pair, 0, DATAGRAM);
	struct ib_ud_wr wr = {
		.wr = { .wr_cqe = &op->cqe, .sg_list = &sge, .num_sge = 1,
			.opcode = IB_WR_SEND, .send_flags = IB_SEND_SIGNALED },
		.ah = ah,
		.remote_qpn = to,
		.remote_qkey = PAIR_QKEY,
	};

	op_init(op);
	return ib_post_send(pair->left, &wr.wr, NULL);
}

static const char *sends_datagrams(struct context *c)
{
	struct pair *pair = &c->pair;
	struct ib_ah *ah;
	const char *wrong;
	int ret;

	fill(pair->cpu, DATAGRAM, 5);
	/* As the CM does: where nothing may sleep. */
	preempt_disable();
	ah = rdma_create_ah(pair->pd, &pair->to_self, 0);
	preempt_enable();
	if (IS_ERR(ah))
		return "no address handle";
	ret = post_recv(pair, &c->received, PAIR_HALF, GRH + DATAGRAM) ?:
		      post_datagram(pair, &c->sent, ah, pair->right->qp_num);
	wrong = ret ? NOT_TAKEN :
		      ends(pair, &c->received, IB_WC_SUCCESS) ?: ends(pair, &c->sent, IB_WC_SUCCESS);
	rdma_destroy_ah(ah, 0);
	if (wrong)
		return wrong;
	if (!(c->received.wc.wc_flags & IB_WC_GRH) ||
	    c->received.wc.byte_len != GRH + DATAGRAM ||
	    c->received.wc.src_qp != pair->left->qp_num)
		return "the completion does not tell the sender";
	return filled(pair->cpu + PAIR_HALF + GRH, DATAGRAM, 5) ? NULL : "other bytes came";
}

/* A group of the address family of the GID, and the MAC address that belongs to it. */
static void name_group(struct rdma_ah_attr *attr)
{
	struct in6_addr *group = (struct in6_addr *)attr->grh.dgid.raw;

	if (ipv6_addr_v4mapped(group)) {
		group->s6_addr32[3] = htonl(0xefc00001); /* 239.192.0.1, RFC 2365 */
		ip_eth_mc_map(group->s6_addr32[3], attr->roce.dmac);
	} else {
		ipv6_addr_set(group, htonl(0xff120000), 0, 0, htonl(1)); /* transient, link-local */
		ipv6_eth_mc_map(group, attr->roce.dmac);
	}
}

/* One datagram to the group: comes to the left one, which is the sender's own, and to the right. */
static const char *send_to_group(struct context *c, struct ib_ah *ah)
{
	struct pair *pair = &c->pair;
	const size_t left_at = PAIR_HALF, right_at = PAIR_HALF + 4096;
	const char *wrong;

	fill(pair->cpu, DATAGRAM, 6);
	memset(pair->cpu + PAIR_HALF, 0, 8192);
	if (post_recv_to(pair, pair->left, &c->others[0], left_at, GRH + DATAGRAM) ||
	    post_recv_to(pair, pair->right, &c->received, right_at, GRH + DATAGRAM) ||
	    post_datagram(pair, &c->sent, ah, IB_MULTICAST_QPN))
		return NOT_TAKEN;
	wrong = ends(pair, &c->sent, IB_WC_SUCCESS) ?: ends(pair, &c->others[0], IB_WC_SUCCESS) ?:
		ends(pair, &c->received, IB_WC_SUCCESS);
	if (wrong)
		return wrong;
	return filled(pair->cpu + left_at + GRH, DATAGRAM, 6) &&
		       filled(pair->cpu + right_at + GRH, DATAGRAM, 6) ? NULL : "other bytes came";
}

/* Once more, when the right one has left the group: what it gets first is what is sent to it later. */
static const char *send_to_those_left(struct context *c, struct ib_ah *ah, struct ib_ah *to_self)
{
	const size_t left_at = PAIR_HALF, right_at = PAIR_HALF + 4096;
	struct pair *pair = &c->pair;
	const char *wrong;

	if (post_recv_to(pair, pair->right, &c->received, right_at, GRH + DATAGRAM) ||
	    post_recv_to(pair, pair->left, &c->others[0], left_at, GRH + DATAGRAM) ||
	    post_datagram(pair, &c->sent, ah, IB_MULTICAST_QPN))
		return NOT_TAKEN;
	wrong = ends(pair, &c->sent, IB_WC_SUCCESS) ?: ends(pair, &c->others[0], IB_WC_SUCCESS);
	if (wrong)
		return wrong;
	fill(pair->cpu, DATAGRAM, 7);
	if (post_datagram(pair, &c->sent, to_self, pair->right->qp_num))
		return NOT_TAKEN;
	wrong = ends(pair, &c->sent, IB_WC_SUCCESS) ?: ends(pair, &c->received, IB_WC_SUCCESS);
	if (wrong)
		return wrong;
	return filled(pair->cpu + right_at + GRH, DATAGRAM, 7) ? NULL : "it came to one that has left";
}

static const char *sends_to_group(struct context *c)
{
	struct pair *pair = &c->pair;
	struct rdma_ah_attr attr = pair->to_self;
	union ib_gid *group = &attr.grh.dgid;
	const char *wrong = NULL;
	struct ib_ah *ah, *to_self;

	name_group(&attr);
	ah = rdma_create_ah(pair->pd, &attr, RDMA_CREATE_AH_SLEEPABLE);
	if (IS_ERR(ah))
		return "no address handle";
	to_self = rdma_create_ah(pair->pd, &pair->to_self, RDMA_CREATE_AH_SLEEPABLE);
	if (IS_ERR(to_self)) {
		rdma_destroy_ah(ah, RDMA_DESTROY_AH_SLEEPABLE);
		return "no address handle";
	}
	if (ib_attach_mcast(pair->left, group, 0) || ib_attach_mcast(pair->right, group, 0))
		wrong = "a queue pair is not attached";
	wrong = wrong ?: send_to_group(c, ah);
	if (!wrong && ib_detach_mcast(pair->right, group, 0))
		wrong = "a queue pair is not detached";
	wrong = wrong ?: send_to_those_left(c, ah, to_self);
	ib_detach_mcast(pair->left, group, 0);
	if (wrong)
		ib_detach_mcast(pair->right, group, 0);
	rdma_destroy_ah(to_self, RDMA_DESTROY_AH_SLEEPABLE);
	rdma_destroy_ah(ah, RDMA_DESTROY_AH_SLEEPABLE);
	return wrong;
}

/* ---- registration by request ---- */

static int post_reg(struct pair *pair, struct ib_qp *qp, struct op *op, struct ib_mr *mr)
{
	struct ib_reg_wr wr = {
		.wr = { .wr_cqe = &op->cqe, .opcode = IB_WR_REG_MR, .send_flags = IB_SEND_SIGNALED },
		.mr = mr,
		.key = mr->rkey,
		.access = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_READ |
			  IB_ACCESS_REMOTE_ATOMIC,
	};

	op_init(op);
	return ib_post_send(qp, &wr.wr, NULL);
}

static int post_local_inv(struct pair *pair, struct ib_qp *qp, struct op *op, u32 rkey)
{
	struct ib_send_wr wr = { .wr_cqe = &op->cqe, .opcode = IB_WR_LOCAL_INV,
				 .send_flags = IB_SEND_SIGNALED, .ex.invalidate_rkey = rkey };

	op_init(op);
	return ib_post_send(qp, &wr, NULL);
}

/* The right half's first bytes as a region of pages of that size, not yet posted. */
static const char *map_target(struct pair *pair, struct ib_mr *mr, u32 length, u32 page_size,
			      u32 offset)
{
	struct scatterlist sg;

	sg_init_one(&sg, pair->cpu + PAIR_HALF + offset, length);
	sg_dma_address(&sg) = pair->dma + PAIR_HALF + offset;
	sg_dma_len(&sg) = length;
	ib_update_fast_reg_key(mr, ib_inc_rkey(mr->rkey) & 0xff);
	return ib_map_mr_sg(mr, &sg, 1, NULL, page_size) == 1 ? NULL : "the region is not mapped";
}

static const char *write_and_compare(struct context *c, struct ib_mr *mr, u32 length, u32 offset)
{
	struct pair *pair = &c->pair;
	const char *wrong;

	fill(pair->cpu, length, length >> 8);
	memset(pair->cpu + PAIR_HALF, 0, offset + length + 1);
	if (post_write(pair, &c->sent, length, mr->iova, mr->rkey))
		return NOT_TAKEN;
	wrong = ends(pair, &c->sent, IB_WC_SUCCESS);
	if (wrong)
		return wrong;
	if (!filled(pair->cpu + PAIR_HALF + offset, length, length >> 8) ||
	    pair->cpu[PAIR_HALF + offset + length] || (offset && pair->cpu[PAIR_HALF + offset - 1]))
		return "other bytes came, or elsewhere";
	return NULL;
}

static const char *register_write_invalidate(struct context *c, struct ib_mr *mr, u32 page_size)
{
	struct pair *pair = &c->pair;
	const u32 length = 70001, offset = 123;
	const char *wrong = map_target(pair, mr, length, page_size, offset);

	if (wrong)
		return wrong;
	if (post_reg(pair, pair->right, &c->others[0], mr))
		return NOT_TAKEN;
	wrong = ends(pair, &c->others[0], IB_WC_SUCCESS) ?: write_and_compare(c, mr, length, offset);
	if (wrong)
		return wrong;
	if (post_local_inv(pair, pair->right, &c->others[0], mr->rkey))
		return NOT_TAKEN;
	return ends(pair, &c->others[0], IB_WC_SUCCESS);
}

static const char *with_mr(struct context *c, const char *(*use)(struct context *, struct ib_mr *))
{
	struct ib_mr *mr = ib_alloc_mr(c->pair.pd, IB_MR_TYPE_MEM_REG, 64);
	const char *wrong;

	if (IS_ERR(mr))
		return "no region";
	wrong = use(c, mr);
	ib_dereg_mr(mr);
	return wrong;
}

static const char *each_page_size(struct context *c, struct ib_mr *mr)
{
	const u64 sizes = c->pair.ib->attrs.page_size_cap;
	const char *wrong;
	u32 shift;

	if (!(sizes & SZ_4K) || !(sizes & SZ_2M))
		return "the device lacks pages that every ULP counts on";
	/* A page may be larger than what is mapped: the memory lies somewhere in it. */
	for (shift = 12; shift < 32; shift++) {
		if (!(sizes & BIT_ULL(shift)))
			continue;
		wrong = register_write_invalidate(c, mr, 1u << shift);
		if (wrong) {
			pr_info("kernel_verbs: # pages of %u bytes\n", 1u << shift);
			return wrong;
		}
	}
	return NULL;
}

static const char *registers(struct context *c)
{
	return with_mr(c, each_page_size);
}

static const char *invalidated_by_peer(struct context *c, struct ib_mr *mr)
{
	struct pair *pair = &c->pair;
	struct ib_sge sge = pair_sge(pair, 0, 8);
	struct ib_send_wr wr = { .wr_cqe = &c->sent.cqe, .sg_list = &sge, .num_sge = 1,
				 .opcode = IB_WR_SEND_WITH_INV, .send_flags = IB_SEND_SIGNALED };
	const char *wrong = map_target(pair, mr, 4096, PAGE_SIZE, 0);

	if (wrong)
		return wrong;
	op_init(&c->sent);
	wr.ex.invalidate_rkey = mr->rkey;
	if (post_reg(pair, pair->right, &c->others[0], mr))
		return NOT_TAKEN;
	wrong = ends(pair, &c->others[0], IB_WC_SUCCESS);
	if (wrong)
		return wrong;
	if (post_recv(pair, &c->received, PAIR_HALF, 8) || ib_post_send(pair->left, &wr, NULL))
		return NOT_TAKEN;
	wrong = ends(pair, &c->received, IB_WC_SUCCESS) ?: ends(pair, &c->sent, IB_WC_SUCCESS);
	if (wrong)
		return wrong;
	if (!(c->received.wc.wc_flags & IB_WC_WITH_INVALIDATE) ||
	    c->received.wc.ex.invalidate_rkey != mr->rkey)
		return "the receive does not tell the key";
	if (post_write(pair, &c->sent, 8, mr->iova, mr->rkey))
		return NOT_TAKEN;
	return ends(pair, &c->sent, IB_WC_REM_ACCESS_ERR);
}

static const char *is_invalidated(struct context *c)
{
	return with_mr(c, invalidated_by_peer);
}

static const char *add_twice(struct context *c, struct ib_mr *mr)
{
	struct pair *pair = &c->pair;
	struct ib_sge sge = pair_sge(pair, 0, 8);
	u64 *word = (u64 *)(pair->cpu + PAIR_HALF);
	const char *wrong = map_target(pair, mr, 4096, PAGE_SIZE, 0);
	int i;

	if (wrong)
		return wrong;
	if (post_reg(pair, pair->right, &c->others[0], mr))
		return NOT_TAKEN;
	wrong = ends(pair, &c->others[0], IB_WC_SUCCESS);
	*word = 5;
	for (i = 0; i < 2 && !wrong; i++) {
		struct ib_atomic_wr wr = {
			.wr = { .wr_cqe = &c->sent.cqe, .sg_list = &sge, .num_sge = 1,
				.opcode = IB_WR_ATOMIC_FETCH_AND_ADD,
				.send_flags = IB_SEND_SIGNALED },
			.remote_addr = mr->iova,
			.compare_add = 37,
			.rkey = mr->rkey,
		};

		op_init(&c->sent);
		if (ib_post_send(pair->left, &wr.wr, NULL))
			return NOT_TAKEN;
		wrong = ends(pair, &c->sent, IB_WC_SUCCESS);
	}
	if (wrong)
		return wrong;
	return *word == 79 && *(u64 *)pair->cpu == 42 ? NULL : "the sum is another";
}

static const char *adds(struct context *c)
{
	return with_mr(c, add_twice);
}

/* ---- wrong input ---- */

static const char *is_in_error(struct ib_qp *qp)
{
	struct ib_qp_attr attr;
	struct ib_qp_init_attr init;

	if (ib_query_qp(qp, &attr, IB_QP_STATE, &init))
		return "the queue pair cannot be asked";
	return attr.qp_state == IB_QPS_ERR ? NULL : "the queue pair is not in the error state";
}

/* Behind a request that failed: flushed, and so is what is posted later. */
static const char *flushes(struct context *c)
{
	struct pair *pair = &c->pair;
	struct ib_sge sge = pair_sge(pair, 0, 8);

	if (post_send_of(pair, &c->others[1], &sge, 1, 0))
		return NOT_TAKEN;
	return ends(pair, &c->others[1], IB_WC_WR_FLUSH_ERR) ?: is_in_error(pair->left);
}

static const char *posts_too_many(struct context *c)
{
	struct pair *pair = &c->pair;
	struct ib_sge sge = pair_sge(pair, 0, 8);
	const char *wrong = NULL;
	int i;

	/* Nobody receives: they stay. */
	for (i = 0; i < PAIR_DEPTH; i++)
		if (post_send_of(pair, &c->others[i], &sge, 1, 0))
			return "fewer requests are taken than the queue has places";
	if (post_send_of(pair, &c->sent, &sge, 1, 0) != -ENOMEM)
		return "a request more than the queue has places was not refused";
	for (i = 0; i < PAIR_DEPTH; i++)
		if (post_recv_to(pair, pair->left, &c->received, PAIR_HALF, 8))
			return "fewer receives are taken than the queue has places";
	if (post_recv_to(pair, pair->left, &c->sent, PAIR_HALF, 8) != -ENOMEM)
		return "a receive more than the queue has places was not refused";
	for (i = 0; i < PAIR_DEPTH; i++)
		if (post_recv(pair, &c->received, PAIR_HALF, 8))
			return NOT_TAKEN;
	for (i = 0; i < PAIR_DEPTH && !wrong; i++)
		wrong = ends(pair, &c->others[i], IB_WC_SUCCESS);
	return wrong;
}

static const char *bad_lkey(struct context *c)
{
	struct ib_sge sge = { c->pair.dma, 8, 0x12345678 };

	if (post_send_of(&c->pair, &c->sent, &sge, 1, 0))
		return NOT_TAKEN;
	return ends(&c->pair, &c->sent, IB_WC_LOC_PROT_ERR) ?: flushes(c);
}

static const char *reg_too_long(struct context *c, struct ib_mr *mr)
{
	const char *wrong = map_target(&c->pair, mr, 8192, PAGE_SIZE, 0);

	if (wrong)
		return wrong;
	mr->length += PAGE_SIZE; /* more than its pages have */
	if (post_reg(&c->pair, c->pair.left, &c->sent, mr))
		return NOT_TAKEN;
	return ends(&c->pair, &c->sent, IB_WC_MW_BIND_ERR) ?: flushes(c);
}

static const char *registers_wrong_length(struct context *c)
{
	return with_mr(c, reg_too_long);
}

static const char *write_after_inv(struct context *c, struct ib_mr *mr)
{
	struct pair *pair = &c->pair;
	const char *wrong = register_write_invalidate(c, mr, PAGE_SIZE);

	if (wrong)
		return wrong;
	if (post_write(pair, &c->sent, 8, mr->iova, mr->rkey))
		return NOT_TAKEN;
	return ends(pair, &c->sent, IB_WC_REM_ACCESS_ERR) ?: flushes(c) ?: is_in_error(pair->right);
}

static const char *uses_invalidated_key(struct context *c)
{
	return with_mr(c, write_after_inv);
}

static const char *inv_twice(struct context *c, struct ib_mr *mr)
{
	const char *wrong = register_write_invalidate(c, mr, PAGE_SIZE);

	if (wrong)
		return wrong;
	if (post_local_inv(&c->pair, c->pair.left, &c->sent, mr->rkey + 0x100))
		return NOT_TAKEN;
	return ends(&c->pair, &c->sent, IB_WC_MW_BIND_ERR) ?: flushes(c);
}

static const char *invalidates_no_key(struct context *c)
{
	return with_mr(c, inv_twice);
}

/* A receive into memory that the device may not reach any more. */
static const char *receives_unmapped(struct context *c)
{
	struct pair *pair = &c->pair;
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	u64 dma = page ? ib_dma_map_single(pair->ib, page, PAGE_SIZE, DMA_FROM_DEVICE) : 0;
	struct ib_sge gone = { dma, 8, pair->pd->local_dma_lkey };
	struct ib_recv_wr recv = { .wr_cqe = &c->received.cqe, .sg_list = &gone, .num_sge = 1 };
	struct ib_sge sge = pair_sge(pair, 0, 8);
	const char *wrong = NULL;

	if (!page)
		return NO_MEMORY;
	if (ib_dma_mapping_error(pair->ib, dma)) {
		free_page((unsigned long)page);
		return "no DMA mapping";
	}
	op_init(&c->received);
	if (ib_post_recv(pair->right, &recv, NULL))
		wrong = NOT_TAKEN;
	ib_dma_unmap_single(pair->ib, dma, PAGE_SIZE, DMA_FROM_DEVICE);
	fill(pair->cpu, 8, 9);
	if (!wrong && post_send_of(pair, &c->sent, &sge, 1, 0))
		wrong = NOT_TAKEN;
	wrong = wrong ?: ends(pair, &c->received, IB_WC_LOC_PROT_ERR);
	wrong = wrong ?: ends(pair, &c->sent, IB_WC_REM_OP_ERR);
	wrong = wrong ?: is_in_error(pair->right);
	if (!wrong && memchr_inv(page, 0, PAGE_SIZE))
		wrong = "the device wrote there";
	free_page((unsigned long)page);
	return wrong;
}

/* ---- the end ---- */

static const char *drains(struct context *c)
{
	struct pair *pair = &c->pair;
	struct ib_sge sge = pair_sge(pair, 0, 8);
	const char *wrong = NULL;
	int i;

	for (i = 0; i < PAIR_DEPTH / 2; i++)
		if (post_send_of(pair, &c->others[i], &sge, 1, 0))
			return NOT_TAKEN;
	ib_drain_qp(pair->left);
	for (i = 0; i < PAIR_DEPTH / 2 && !wrong; i++)
		if (!completion_done(&c->others[i].done))
			wrong = "a request is not done when the queue is drained";
		else
			wrong = wrong_status(&c->others[i], IB_WC_WR_FLUSH_ERR);
	return wrong;
}

static const char *drains_shared(struct context *c)
{
	struct pair *pair = &c->pair;

	if (post_recv(pair, &c->received, PAIR_HALF, 8))
		return NOT_TAKEN;
	ib_drain_qp(pair->right); /* waits for IB_EVENT_QP_LAST_WQE_REACHED */
	return NULL;
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	const char *(*run)(struct context *c);
	struct pair_setup setup;
	bool needs_iommu;
} cases[] = {
	{ "sends, polled by the consumer", sends, { .context = IB_POLL_DIRECT } },
	{ "sends, polled in softirq", sends, { .context = IB_POLL_SOFTIRQ } },
	{ "sends, polled by a workqueue", sends, { .context = IB_POLL_WORKQUEUE } },
	{ "sends, polled by an unbound workqueue", sends, { .context = IB_POLL_UNBOUND_WORKQUEUE } },
	{ "vector 0", sends, { .context = IB_POLL_SOFTIRQ, .vector = 0 } },
	{ "vector 1", sends, { .context = IB_POLL_SOFTIRQ, .vector = 1 } },
	{ "vector 2", sends, { .context = IB_POLL_SOFTIRQ, .vector = 2 } },
	{ "vector 3", sends, { .context = IB_POLL_SOFTIRQ, .vector = 3 } },
	{ "sends, with moderation", sends, { .context = IB_POLL_SOFTIRQ, .moderation = true } },
	{ "a send of 16 pieces", sends_pieces, { .context = IB_POLL_SOFTIRQ } },
	{ "an inline send from the stack", sends_inline, { .context = IB_POLL_SOFTIRQ } },
	{ "sends to a shared receive queue", sends, { .context = IB_POLL_SOFTIRQ, .srq = true } },
	{ "datagrams, an address handle made in atomic context", sends_datagrams,
	  { .context = IB_POLL_SOFTIRQ, .type = IB_QPT_UD } },
	{ "datagrams to a multicast group", sends_to_group,
	  { .context = IB_POLL_SOFTIRQ, .type = IB_QPT_UD } },
	{ "REG_MR of every page size, WRITE, LOCAL_INV", registers, { .context = IB_POLL_WORKQUEUE } },
	{ "SEND_WITH_INV", is_invalidated, { .context = IB_POLL_SOFTIRQ } },
	{ "FETCH_AND_ADD", adds, { .context = IB_POLL_SOFTIRQ } },
	{ "more requests than places", posts_too_many, { .context = IB_POLL_SOFTIRQ, .rnr_retry = 7 } },
	{ "a bad lkey", bad_lkey, { .context = IB_POLL_SOFTIRQ } },
	{ "REG_MR of a wrong length", registers_wrong_length, { .context = IB_POLL_SOFTIRQ } },
	{ "a WRITE to an invalidated key", uses_invalidated_key, { .context = IB_POLL_SOFTIRQ } },
	{ "LOCAL_INV of no key", invalidates_no_key, { .context = IB_POLL_SOFTIRQ } },
	{ "ib_drain_qp", drains, { .context = IB_POLL_SOFTIRQ, .rnr_retry = 7 } },
	{ "ib_drain_qp, polled by the consumer", drains, { .context = IB_POLL_DIRECT, .rnr_retry = 7 } },
	{ "ib_drain_qp with a shared receive queue", drains_shared,
	  { .context = IB_POLL_SOFTIRQ, .srq = true } },
	{ "a receive into unmapped memory", receives_unmapped, { .context = IB_POLL_SOFTIRQ },
	  .needs_iommu = true },
};

void cases_run(struct ib_device *ib, int gid_index)
{
	struct context *c = kzalloc(sizeof(*c), GFP_KERNEL);
	bool iommu = device_iommu_mapped(ib->dma_device);
	unsigned int done = 0;
	unsigned int i;

	pr_info("kernel_verbs: KTAP version 1\n");
	if (!c) {
		pr_info("kernel_verbs: Bail out! " NO_MEMORY "\n");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *wrong;

		if (cases[i].needs_iommu && !iommu)
			continue;
		wrong = pair_create(&c->pair, ib, gid_index, &cases[i].setup);
		wrong = wrong ?: cases[i].run(c);
		pair_destroy(&c->pair);
		if (wrong)
			pr_info("kernel_verbs: # %s\n", wrong);
		pr_info("kernel_verbs: %s %u %s\n", wrong ? "not ok" : "ok", ++done, cases[i].name);
	}
	pr_info("kernel_verbs: 1..%u\n", done);
	kfree(c);
}
