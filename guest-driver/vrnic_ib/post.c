// SPDX-License-Identifier: GPL-2.0
/* Work requests of kernel consumers become entries of a ring; then one doorbell. */
#include "kernel.h"

/* ---- the operations ---- */

enum vrnic_segment { VRNIC_SEG_NONE, VRNIC_SEG_ATOMIC, VRNIC_SEG_REG };

#define VRNIC_OF_RC BIT(0)
#define VRNIC_OF_UC BIT(1)
#define VRNIC_OF_UD BIT(2)

struct vrnic_send_op {
	u8 opcode; /* VRNIC_OP_*; 0: there is none */
	enum ib_wc_opcode completion;
	u8 types; /* VRNIC_OF_* */
	bool remote;    /* names the peer's memory by the request's rdma part */
	bool immediate;
	bool invalidates; /* names a key */
	bool data;      /* has a list */
	bool can_inline;
	enum vrnic_segment segment;
	u64 needs; /* VRNIC_CAP_* */
};

static const struct vrnic_send_op vrnic_send_ops[] = {
	[IB_WR_SEND] = {
		.opcode = VRNIC_OP_SEND, .completion = IB_WC_SEND,
		.types = VRNIC_OF_RC | VRNIC_OF_UC | VRNIC_OF_UD, .data = true, .can_inline = true,
	},
	[IB_WR_SEND_WITH_IMM] = {
		.opcode = VRNIC_OP_SEND_IMM, .completion = IB_WC_SEND,
		.types = VRNIC_OF_RC | VRNIC_OF_UC | VRNIC_OF_UD, .data = true, .can_inline = true,
		.immediate = true,
	},
	[IB_WR_SEND_WITH_INV] = {
		.opcode = VRNIC_OP_SEND_INV, .completion = IB_WC_SEND, .types = VRNIC_OF_RC,
		.data = true, .can_inline = true, .invalidates = true,
	},
	[IB_WR_RDMA_WRITE] = {
		.opcode = VRNIC_OP_WRITE, .completion = IB_WC_RDMA_WRITE,
		.types = VRNIC_OF_RC | VRNIC_OF_UC, .data = true, .can_inline = true, .remote = true,
	},
	[IB_WR_RDMA_WRITE_WITH_IMM] = {
		.opcode = VRNIC_OP_WRITE_IMM, .completion = IB_WC_RDMA_WRITE,
		.types = VRNIC_OF_RC | VRNIC_OF_UC, .data = true, .can_inline = true, .remote = true,
		.immediate = true,
	},
	[IB_WR_RDMA_READ] = {
		.opcode = VRNIC_OP_READ, .completion = IB_WC_RDMA_READ, .types = VRNIC_OF_RC,
		.data = true, .remote = true,
	},
	[IB_WR_ATOMIC_CMP_AND_SWP] = {
		.opcode = VRNIC_OP_COMPARE_SWAP, .completion = IB_WC_COMP_SWAP, .types = VRNIC_OF_RC,
		.data = true, .segment = VRNIC_SEG_ATOMIC, .needs = VRNIC_CAP_ATOMIC,
	},
	[IB_WR_ATOMIC_FETCH_AND_ADD] = {
		.opcode = VRNIC_OP_FETCH_ADD, .completion = IB_WC_FETCH_ADD, .types = VRNIC_OF_RC,
		.data = true, .segment = VRNIC_SEG_ATOMIC, .needs = VRNIC_CAP_ATOMIC,
	},
	[IB_WR_LOCAL_INV] = {
		.opcode = VRNIC_OP_LOCAL_INV, .completion = IB_WC_LOCAL_INV, .types = VRNIC_OF_RC,
		.invalidates = true,
	},
	[IB_WR_REG_MR] = {
		.opcode = VRNIC_OP_REG_MR, .completion = IB_WC_REG_MR, .types = VRNIC_OF_RC,
		.segment = VRNIC_SEG_REG, .needs = VRNIC_CAP_FAST_REG,
	},
};

static u8 vrnic_type_of(const struct vrnic_qp *qp)
{
	switch (qp->ib.qp_type) {
	case IB_QPT_RC:
		return VRNIC_OF_RC;
	case IB_QPT_UC:
		return VRNIC_OF_UC;
	default:
		return VRNIC_OF_UD; /* and the GSI one */
	}
}

/* ---- the entry ---- */

static void *vrnic_entry(const struct vrnic_kqueue *queue, u32 index)
{
	return queue->ring + ((size_t)(index & (queue->entries - 1)) << queue->log_stride);
}

static void vrnic_write_atomic(struct vrnic_sqe *sqe, const struct ib_send_wr *wr)
{
	struct vrnic_sqe_atomic *segment = (void *)sqe + VRNIC_SQE_DATA_OFFSET;
	const struct ib_atomic_wr *atomic = atomic_wr(wr);
	bool swaps = wr->opcode == IB_WR_ATOMIC_CMP_AND_SWP;

	sqe->rkey = cpu_to_le32(atomic->rkey);
	sqe->remote_addr = cpu_to_le64(atomic->remote_addr);
	segment->swap_or_add = cpu_to_le64(swaps ? atomic->swap : atomic->compare_add);
	segment->compare = swaps ? cpu_to_le64(atomic->compare_add) : 0;
}

static int vrnic_write_reg(struct vrnic_sqe *sqe, const struct ib_send_wr *wr)
{
	struct vrnic_sqe_reg *segment = (void *)sqe + VRNIC_SQE_DATA_OFFSET;
	const struct ib_reg_wr *reg = reg_wr(wr);
	const struct vrnic_mr *mr = to_vrnic_mr(reg->mr);

	if (!mr->fast.pages || !mr->fast.num_pages)
		return -EINVAL;
	sqe->rkey = cpu_to_le32(reg->key);
	sqe->remote_addr = cpu_to_le64(mr->ib.iova);
	memset(segment, 0, sizeof(*segment));
	segment->pages = cpu_to_le64(mr->fast.dma);
	segment->length = cpu_to_le64(mr->ib.length);
	segment->num_pages = cpu_to_le32(mr->fast.num_pages);
	segment->offset = cpu_to_le32(mr->ib.iova & (mr->ib.page_size - 1));
	segment->access = cpu_to_le32(vrnic_mr_access(reg->access));
	segment->page_shift = ilog2(mr->ib.page_size);
	return 0;
}

static int vrnic_write_datagram(struct vrnic_sqe *sqe, const struct ib_send_wr *wr)
{
	struct vrnic_sqe_datagram *segment = (void *)sqe + VRNIC_SQE_DATA_OFFSET;
	const struct ib_ud_wr *ud = ud_wr(wr);

	if (!ud->ah)
		return -EINVAL;
	segment->av = to_vrnic_ah(ud->ah)->av;
	segment->qpn = cpu_to_le32(ud->remote_qpn);
	segment->qkey = cpu_to_le32(ud->remote_qkey);
	segment->reserved = 0;
	return 0;
}

/* The data itself; the addresses are the kernel's. */
static int vrnic_write_inline(struct vrnic_sqe *sqe, void *data, u32 room,
			      const struct ib_send_wr *wr)
{
	u32 length = 0;
	int i;

	for (i = 0; i < wr->num_sge; i++) {
		const struct ib_sge *sge = &wr->sg_list[i];

		if (sge->length > room - length)
			return -EINVAL;
		memcpy(data + length, (const void *)(uintptr_t)sge->addr, sge->length);
		length += sge->length;
	}
	sqe->flags |= VRNIC_SQE_INLINE;
	sqe->inline_length = cpu_to_le32(length);
	return 0;
}

static int vrnic_write_data(const struct vrnic_kqp *kqp, const struct vrnic_send_op *op,
			    struct vrnic_sqe *sqe, size_t offset, const struct ib_send_wr *wr)
{
	u32 room = (1u << kqp->send.log_stride) - offset;
	void *data = (void *)sqe + offset;

	if (wr->send_flags & IB_SEND_INLINE)
		return op->can_inline ?
			       vrnic_write_inline(sqe, data, min(room, kqp->max_inline), wr) :
			       -EINVAL;
	if (wr->num_sge < 0 ||
	    wr->num_sge > min_t(u32, kqp->send.max_sge, room / sizeof(struct vrnic_sge)))
		return -EINVAL;
	vrnic_write_list(data, wr->sg_list, wr->num_sge);
	sqe->num_sge = wr->num_sge;
	return 0;
}

static u8 vrnic_sqe_flags(const struct vrnic_qp *qp, int send_flags)
{
	u8 flags = 0;

	if (send_flags & IB_SEND_SIGNALED || qp->sq_sig_type == IB_SIGNAL_ALL_WR)
		flags |= VRNIC_SQE_SIGNALED;
	if (send_flags & IB_SEND_FENCE)
		flags |= VRNIC_SQE_FENCE;
	if (send_flags & IB_SEND_SOLICITED)
		flags |= VRNIC_SQE_SOLICITED;
	return flags;
}

static int vrnic_build_send(struct vrnic_qp *qp, u32 index, const struct ib_send_wr *wr)
{
	struct vrnic_kqp *kqp = qp->kernel;
	struct vrnic_sqe *sqe = vrnic_entry(&kqp->send, index);
	size_t offset = VRNIC_SQE_DATA_OFFSET;
	const struct vrnic_send_op *op;
	u8 type = vrnic_type_of(qp);
	int ret = 0;

	if ((unsigned int)wr->opcode >= ARRAY_SIZE(vrnic_send_ops))
		return -EINVAL;
	op = &vrnic_send_ops[wr->opcode];
	if (!(op->types & type))
		return -EINVAL;
	if (op->needs & ~vrnic_ib_features(qp->ib.device))
		return -EOPNOTSUPP;

	memset(sqe, 0, VRNIC_SQE_DATA_OFFSET);
	sqe->opcode = op->opcode;
	sqe->flags = vrnic_sqe_flags(qp, wr->send_flags);
	if (op->invalidates)
		sqe->imm = cpu_to_le32(wr->ex.invalidate_rkey);
	if (op->immediate)
		sqe->imm = (__force vrnic_le32)wr->ex.imm_data; /* four octets, as they are */
	if (op->remote) {
		sqe->rkey = cpu_to_le32(rdma_wr(wr)->rkey);
		sqe->remote_addr = cpu_to_le64(rdma_wr(wr)->remote_addr);
	}
	if (op->segment == VRNIC_SEG_ATOMIC) {
		vrnic_write_atomic(sqe, wr);
		offset = VRNIC_SQE_ATOMIC_DATA_OFFSET;
	} else if (op->segment == VRNIC_SEG_REG) {
		ret = vrnic_write_reg(sqe, wr);
	} else if (type == VRNIC_OF_UD) {
		ret = vrnic_write_datagram(sqe, wr);
		offset = VRNIC_SQE_DATAGRAM_DATA_OFFSET;
	}
	if (!ret && op->data)
		ret = vrnic_write_data(kqp, op, sqe, offset, wr);
	if (ret)
		return ret;
	kqp->send.work[index & (kqp->send.entries - 1)] =
		(struct vrnic_posted){ wr->wr_id, op->completion };
	return 0;
}

static int vrnic_build_recv(struct vrnic_kqueue *queue, u32 index, const struct ib_recv_wr *wr)
{
	struct vrnic_rqe *rqe = vrnic_entry(queue, index);

	if (wr->num_sge < 0 || wr->num_sge > queue->max_sge)
		return -EINVAL;
	memset(rqe, 0, VRNIC_RQE_DATA_OFFSET);
	rqe->num_sge = cpu_to_le32(wr->num_sge);
	vrnic_write_list(rqe->sge, wr->sg_list, wr->num_sge);
	queue->work[index & (queue->entries - 1)] =
		(struct vrnic_posted){ wr->wr_id, IB_WC_RECV };
	return 0;
}

/* ---- post ---- */

static bool vrnic_has_room(const struct vrnic_kqueue *queue, u32 index)
{
	return index - smp_load_acquire(&queue->done) < queue->max_wr;
}

/* The entries before index are the device's. */
static void vrnic_publish(struct vrnic_kqueue *queue, u32 index)
{
	smp_store_release(&queue->posted, index); /* for those who poll */
	dma_wmb(); /* the entries before the index */
	WRITE_ONCE(*queue->record, cpu_to_le32(index));
}

/* Unless the device says that it looks at the send queue without a doorbell (vrnic_ring.h). */
static void vrnic_announce_sends(struct vrnic_qp *qp)
{
	smp_mb(); /* the index before this is read */
	if (!READ_ONCE(qp->kernel->dbrec->sq_busy))
		vrnic_ring_doorbell(vrnic_of(qp->ib.device), VRNIC_DB_TYPE_SQ, qp->qpn);
}

/* After a request was posted: nobody but us tells the consumer of it when the device is dead. */
static void vrnic_wake_if_dead(struct vrnic_qp *qp, struct ib_cq *cq)
{
	smp_mb(); /* posted, then dead; vrnic_kill: dead, then it wakes all */
	if (vrnic_is_dead(vrnic_of(qp->ib.device)))
		vrnic_kcq_wake(to_vrnic_cq(cq));
}

/* IBTA 10.3.1: sends are taken from RTS on, receives from INIT on. */
int vrnic_post_send(struct ib_qp *ib, const struct ib_send_wr *wr, const struct ib_send_wr **bad_wr)
{
	struct vrnic_qp *qp = to_vrnic_qp(ib);
	struct vrnic_kqueue *queue = &qp->kernel->send;
	unsigned long flags;
	int ret = 0;
	u32 index;

	spin_lock_irqsave(&queue->lock, flags);
	index = queue->posted;
	for (; wr; wr = wr->next, index++) {
		if (qp->state < IB_QPS_RTS)
			ret = -EINVAL;
		else
			ret = vrnic_has_room(queue, index) ? vrnic_build_send(qp, index, wr) :
							     -ENOMEM;
		if (ret)
			break;
	}
	if (index != queue->posted) {
		vrnic_publish(queue, index);
		vrnic_announce_sends(qp);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	if (ret) {
		*bad_wr = wr;
		ibdev_dbg(ib->device, "QP %u: send request refused: %d, opcode %d, state %d\n",
			  qp->qpn, ret, wr->opcode, qp->state);
	}
	vrnic_wake_if_dead(qp, ib->send_cq);
	return ret;
}

int vrnic_post_recv(struct ib_qp *ib, const struct ib_recv_wr *wr, const struct ib_recv_wr **bad_wr)
{
	struct vrnic_qp *qp = to_vrnic_qp(ib);
	struct vrnic_kqueue *queue = &qp->kernel->recv;
	unsigned long flags;
	int ret = 0;
	u32 index;

	spin_lock_irqsave(&queue->lock, flags);
	index = queue->posted;
	for (; wr; wr = wr->next, index++) {
		if (qp->state == IB_QPS_RESET || ib->srq)
			ret = -EINVAL;
		else
			ret = vrnic_has_room(queue, index) ? vrnic_build_recv(queue, index, wr) :
							     -ENOMEM;
		if (ret)
			break;
	}
	if (index != queue->posted) {
		vrnic_publish(queue, index);
		smp_mb(); /* against vrnic_kqp_fail */
		if (READ_ONCE(qp->kernel->failed))
			vrnic_ring_doorbell(vrnic_of(ib->device), VRNIC_DB_TYPE_RQ, qp->qpn);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	if (ret) {
		*bad_wr = wr;
		ibdev_dbg(ib->device, "QP %u: receive request refused: %d, state %d\n", qp->qpn,
			  ret, qp->state);
	}
	vrnic_wake_if_dead(qp, ib->recv_cq);
	return ret;
}
