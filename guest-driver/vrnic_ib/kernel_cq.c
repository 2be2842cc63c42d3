// SPDX-License-Identifier: GPL-2.0
/*
 * Completion queues of kernel consumers.
 *
 * When the device is dead it completes nothing more, and consumers would wait
 * for ever: then polling gives, after what the device still wrote, a flush error
 * for each request that is outstanding (IBTA 10.3.1, state Error). Whoever waits
 * for an event is woken by vrnic_wake_kernel, and by each request that is
 * posted after that.
 */
#include <linux/etherdevice.h>
#include <linux/log2.h>

#include "kernel.h"

#define VRNIC_NO_QPN 0xffffffff /* of a completion that was discarded; QPNs have 24 bits */

static_assert(IB_WC_RETRY_EXC_ERR == VRNIC_WC_RETRY_EXC_ERR);
static_assert(IB_WC_GENERAL_ERR == VRNIC_WC_GENERAL_ERR);

int vrnic_kcq_create(struct vrnic_cq *cq, u32 entries, struct vrnic_cmd_create_cq *cmd)
{
	size_t ring = entries * sizeof(struct vrnic_cqe); /* a multiple of 64 */
	struct vrnic_kcq *kcq;
	int ret;

	kcq = kzalloc(sizeof(*kcq), GFP_KERNEL);
	if (!kcq)
		return -ENOMEM;
	ret = vrnic_kmem_alloc(cq->ib.device, &kcq->memory, ring + sizeof(*kcq->dbrec));
	if (ret) {
		kfree(kcq);
		return ret;
	}
	kcq->cq = cq;
	spin_lock_init(&kcq->lock);
	kcq->ring = kcq->memory.cpu;
	kcq->entries = entries;
	kcq->dbrec = kcq->memory.cpu + ring;
	INIT_LIST_HEAD(&kcq->senders);
	INIT_LIST_HEAD(&kcq->receivers);
	INIT_LIST_HEAD(&kcq->entry);
	cq->kernel = kcq;

	cmd->log_size = ilog2(entries);
	cmd->dbrec_offset = cpu_to_le32(ring);
	vrnic_contiguous(&cmd->memory, kcq->memory.dma, kcq->memory.size);
	return 0;
}

/* From now on it is woken when the device dies. */
void vrnic_kcq_listen(struct vrnic_cq *cq)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(cq->ib.device);

	spin_lock_irq(&vib->kernel_lock);
	list_add_tail(&cq->kernel->entry, &vib->kernel_cqs);
	spin_unlock_irq(&vib->kernel_lock);
}

void vrnic_kcq_destroy(struct vrnic_cq *cq)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(cq->ib.device);
	struct vrnic_kcq *kcq = cq->kernel;

	spin_lock_irq(&vib->kernel_lock);
	list_del(&kcq->entry);
	spin_unlock_irq(&vib->kernel_lock);
	vrnic_kmem_free(cq->ib.device, &kcq->memory);
	kfree(kcq);
	cq->kernel = NULL;
}

/* ---- what completes here ---- */

void vrnic_kcq_add(struct vrnic_cq *send_cq, struct vrnic_cq *recv_cq, struct vrnic_kqp *kqp)
{
	spin_lock_irq(&send_cq->kernel->lock);
	list_add_tail(&kqp->sender, &send_cq->kernel->senders);
	spin_unlock_irq(&send_cq->kernel->lock);

	spin_lock_irq(&recv_cq->kernel->lock);
	list_add_tail(&kqp->receiver, &recv_cq->kernel->receivers);
	spin_unlock_irq(&recv_cq->kernel->lock);
}

/* The completion that is next, if it is there. Under the lock. */
static struct vrnic_cqe *vrnic_kcq_at(struct vrnic_kcq *kcq, u64 index)
{
	struct vrnic_cqe *cqe = &kcq->ring[index & (kcq->entries - 1)];

	if (le64_to_cpu(READ_ONCE(cqe->seq)) != index + 1)
		return NULL;
	dma_rmb(); /* the sequence before the rest */
	return cqe;
}

static struct vrnic_srq *vrnic_kcq_srq(struct vrnic_cq *cq, const struct vrnic_cqe *cqe)
{
	return xa_load(&to_vrnic_ib(cq->ib.device)->srqs, le32_to_cpu(cqe->srqn));
}

/* At most one round: an entry of the next round has another sequence. Under the lock. */
static void vrnic_kcq_discard_locked(struct vrnic_cq *cq, u32 qpn)
{
	struct vrnic_cqe *cqe;
	u64 index, wr_id;

	for (index = cq->kernel->ci; (cqe = vrnic_kcq_at(cq->kernel, index)); index++) {
		if (le32_to_cpu(cqe->qpn) != qpn)
			continue;
		if (cqe->srqn) {
			struct vrnic_srq *srq = vrnic_kcq_srq(cq, cqe);

			if (srq)
				vrnic_ksrq_complete(srq, le32_to_cpu(cqe->wqe_index), &wr_id);
		}
		cqe->qpn = cpu_to_le32(VRNIC_NO_QPN);
	}
}

/* The device writes none of this QP any more; those that are there are not delivered. */
void vrnic_kcq_discard(struct vrnic_cq *cq, struct vrnic_qp *qp)
{
	unsigned long flags;

	spin_lock_irqsave(&cq->kernel->lock, flags);
	vrnic_kcq_discard_locked(cq, qp->qpn);
	spin_unlock_irqrestore(&cq->kernel->lock, flags);
}

/* As discard; and the QP completes here no more. Once for each of its CQs. */
void vrnic_kcq_remove(struct vrnic_cq *cq, struct vrnic_qp *qp)
{
	spin_lock_irq(&cq->kernel->lock);
	vrnic_kcq_discard_locked(cq, qp->qpn);
	if (&cq->ib == qp->ib.send_cq)
		list_del_init(&qp->kernel->sender);
	if (&cq->ib == qp->ib.recv_cq)
		list_del_init(&qp->kernel->receiver);
	spin_unlock_irq(&cq->kernel->lock);
}

/* ---- poll ---- */

static const struct {
	u16 flag;
	int wc_flag;
} vrnic_cqe_flags[] = {
	{ VRNIC_CQE_IMM, IB_WC_WITH_IMM },
	{ VRNIC_CQE_INV, IB_WC_WITH_INVALIDATE },
	{ VRNIC_CQE_GRH, IB_WC_GRH | IB_WC_WITH_SMAC | IB_WC_WITH_NETWORK_HDR_TYPE },
	{ VRNIC_CQE_VLAN, IB_WC_WITH_VLAN },
};

static void vrnic_fill_wc(struct ib_wc *wc, struct vrnic_qp *qp, const struct vrnic_cqe *cqe)
{
	u16 flags = le16_to_cpu(cqe->flags);
	unsigned int i;

	wc->status = cqe->status;
	wc->vendor_err = le32_to_cpu(cqe->syndrome);
	wc->qp = &qp->ib;
	wc->byte_len = le32_to_cpu(cqe->byte_len);
	wc->src_qp = le32_to_cpu(cqe->src_qpn);
	wc->pkey_index = le16_to_cpu(cqe->pkey_index);
	wc->sl = cqe->sl;
	wc->port_num = VRNIC_PORT;
	for (i = 0; i < ARRAY_SIZE(vrnic_cqe_flags); i++)
		if (flags & vrnic_cqe_flags[i].flag)
			wc->wc_flags |= vrnic_cqe_flags[i].wc_flag;
	if (flags & VRNIC_CQE_INV)
		wc->ex.invalidate_rkey = le32_to_cpu(cqe->imm);
	else
		wc->ex.imm_data = (__force __be32)cqe->imm; /* four octets, as they came */
	ether_addr_copy(wc->smac, cqe->smac);
	wc->vlan_id = le16_to_cpu(cqe->vlan);
	wc->network_hdr_type = cqe->network_type == 1 ? RDMA_NETWORK_IPV4 : RDMA_NETWORK_IPV6;
}

/* The request of that index is done, and all before it. False: there is none, the device is wrong. */
static bool vrnic_kqueue_complete(struct vrnic_kqueue *queue, u32 index, struct ib_wc *wc)
{
	const struct vrnic_posted *work;

	if (index - queue->done >= smp_load_acquire(&queue->posted) - queue->done)
		return false;
	work = &queue->work[index & (queue->entries - 1)];
	wc->wr_id = work->wr_id;
	wc->opcode = work->opcode;
	smp_store_release(&queue->done, index + 1); /* its place may be written now */
	return true;
}

static bool vrnic_find_work(struct vrnic_cq *cq, struct vrnic_qp *qp, const struct vrnic_cqe *cqe,
			    struct ib_wc *wc)
{
	u32 index = le32_to_cpu(cqe->wqe_index);
	struct vrnic_srq *srq;

	if (le16_to_cpu(cqe->flags) & VRNIC_CQE_SEND_QUEUE)
		return vrnic_kqueue_complete(&qp->kernel->send, index, wc);
	if (!cqe->srqn)
		return vrnic_kqueue_complete(&qp->kernel->recv, index, wc);
	srq = vrnic_kcq_srq(cq, cqe);
	return srq && vrnic_ksrq_complete(srq, index, &wc->wr_id);
}

static bool vrnic_error_is_fatal(const struct vrnic_qp *qp, const struct vrnic_cqe *cqe)
{
	/* IBTA 10.3.1: send errors of the other types end in SQE. */
	return qp->ib.qp_type == IB_QPT_RC ||
	       !(le16_to_cpu(cqe->flags) & VRNIC_CQE_SEND_QUEUE) ||
	       cqe->status == VRNIC_WC_WR_FLUSH_ERR;
}

/* False: it is none, because it was discarded. Under the lock. */
static bool vrnic_take_completion(struct vrnic_cq *cq, const struct vrnic_cqe *cqe,
				  struct ib_wc *wc)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(cq->ib.device);
	u32 qpn = le32_to_cpu(cqe->qpn);
	struct vrnic_qp *qp;

	if (qpn == VRNIC_NO_QPN)
		return false;
	memset(wc, 0, sizeof(*wc));
	qp = xa_load(&vib->qps, qpn);
	if (!qp || !qp->kernel || !vrnic_find_work(cq, qp, cqe, wc)) {
		dev_warn_ratelimited(&vib->ib.dev, "CQ %u: a completion of no request, QP %u\n",
				     cq->cqn, qpn);
		return false;
	}
	vrnic_fill_wc(wc, qp, cqe);
	if (!(le16_to_cpu(cqe->flags) & VRNIC_CQE_SEND_QUEUE))
		wc->opcode = cqe->opcode == VRNIC_OP_RECV_WRITE_IMM ? IB_WC_RECV_RDMA_WITH_IMM :
								       IB_WC_RECV;
	if (cqe->status == VRNIC_WC_SUCCESS)
		return true;
	if (cqe->status != VRNIC_WC_WR_FLUSH_ERR)
		ibdev_dbg(&vib->ib, "QP %u: request failed: %s, syndrome %u\n", qpn,
			  ib_wc_status_msg(cqe->status), le32_to_cpu(cqe->syndrome));
	if (vrnic_error_is_fatal(qp, cqe))
		vrnic_kqp_fail(qp);
	return true;
}

static int vrnic_flush_queue(struct vrnic_kqueue *queue, struct vrnic_qp *qp, int num,
			     struct ib_wc *wc)
{
	int n = 0;

	while (n < num) {
		memset(&wc[n], 0, sizeof(wc[n]));
		if (!vrnic_kqueue_complete(queue, queue->done, &wc[n]))
			break;
		wc[n].status = IB_WC_WR_FLUSH_ERR;
		wc[n].vendor_err = VRNIC_SYND_FLUSHED;
		wc[n].qp = &qp->ib;
		wc[n].port_num = VRNIC_PORT;
		n++;
	}
	return n;
}

/* Of a dead device: what nobody completes any more. Under the lock. */
static int vrnic_kcq_flush(struct vrnic_kcq *kcq, int num, struct ib_wc *wc)
{
	struct vrnic_kqp *kqp;
	int n = 0;

	list_for_each_entry(kqp, &kcq->senders, sender)
		n += vrnic_flush_queue(&kqp->send, kqp->qp, num - n, wc + n);
	list_for_each_entry(kqp, &kcq->receivers, receiver)
		n += vrnic_flush_queue(&kqp->recv, kqp->qp, num - n, wc + n);
	return n;
}

int vrnic_poll_cq(struct ib_cq *ib, int num, struct ib_wc *wc)
{
	struct vrnic_cq *cq = to_vrnic_cq(ib);
	struct vrnic_kcq *kcq = cq->kernel;
	struct vrnic_cqe *cqe;
	unsigned long flags;
	bool dead;
	u64 ci;
	int n = 0;

	spin_lock_irqsave(&kcq->lock, flags);
	dead = vrnic_is_dead(vrnic_of(ib->device)); /* first: then the ring does not change any more */
	ci = kcq->ci;
	while (n < num && (cqe = vrnic_kcq_at(kcq, kcq->ci))) {
		if (vrnic_take_completion(cq, cqe, &wc[n]))
			n++;
		kcq->ci++;
	}
	if (kcq->ci != ci) /* after the entries were read */
		smp_store_release(&kcq->dbrec->ci, cpu_to_le32(lower_32_bits(kcq->ci)));
	if (dead && n < num)
		n += vrnic_kcq_flush(kcq, num - n, wc + n);
	spin_unlock_irqrestore(&kcq->lock, flags);
	return n;
}

/* ---- events ---- */

static bool vrnic_kqueue_outstanding(const struct vrnic_kqueue *queue)
{
	return smp_load_acquire(&queue->posted) != queue->done;
}

/* Under the lock. */
static bool vrnic_kcq_has_work(struct vrnic_cq *cq)
{
	struct vrnic_kcq *kcq = cq->kernel;
	struct vrnic_kqp *kqp;

	if (vrnic_kcq_at(kcq, kcq->ci))
		return true;
	if (!vrnic_is_dead(vrnic_of(cq->ib.device)))
		return false;
	list_for_each_entry(kqp, &kcq->senders, sender)
		if (vrnic_kqueue_outstanding(&kqp->send))
			return true;
	list_for_each_entry(kqp, &kcq->receivers, receiver)
		if (vrnic_kqueue_outstanding(&kqp->recv))
			return true;
	return false;
}

int vrnic_req_notify_cq(struct ib_cq *ib, enum ib_cq_notify_flags flags)
{
	struct vrnic_cq *cq = to_vrnic_cq(ib);
	struct vrnic_kcq *kcq = cq->kernel;
	unsigned long irq_flags;
	int missed = 0;

	spin_lock_irqsave(&kcq->lock, irq_flags);
	/* IBTA 11.4.2.2: a request for any completion is not narrowed by a later one. */
	if ((flags & IB_CQ_SOLICITED_MASK) != IB_CQ_SOLICITED)
		kcq->armed_for_any = true;
	kcq->wants_events = true;
	kcq->arm_sequence = (kcq->arm_sequence + 1) & VRNIC_CQ_ARM_SEQ_MASK;
	WRITE_ONCE(kcq->dbrec->arm,
		   cpu_to_le32(kcq->arm_sequence |
			       (kcq->armed_for_any ? 0 : VRNIC_CQ_ARM_SOLICITED)));
	vrnic_ring_doorbell(vrnic_of(ib->device), VRNIC_DB_TYPE_CQ_ARM, cq->cqn);
	if (flags & IB_CQ_REPORT_MISSED_EVENTS)
		missed = vrnic_kcq_has_work(cq);
	spin_unlock_irqrestore(&kcq->lock, irq_flags);
	return missed;
}

/* In hard interrupt context. */
void vrnic_kcq_event(struct vrnic_cq *cq)
{
	spin_lock(&cq->kernel->lock);
	cq->kernel->armed_for_any = false;
	spin_unlock(&cq->kernel->lock);
}

/* The device is dead: something is to be polled. Any context. */
void vrnic_kcq_wake(struct vrnic_cq *cq)
{
	if (READ_ONCE(cq->kernel->wants_events) && cq->ib.comp_handler)
		cq->ib.comp_handler(&cq->ib, cq->ib.cq_context);
}

/* One without queue pairs may be about to go: its consumer expects nothing more of it. */
static bool vrnic_kcq_is_used(struct vrnic_kcq *kcq)
{
	bool used;

	spin_lock(&kcq->lock); /* interrupts are off */
	used = !list_empty(&kcq->senders) || !list_empty(&kcq->receivers);
	spin_unlock(&kcq->lock);
	return used;
}

/* All of them; what is posted from now on wakes by itself. Any context. */
void vrnic_wake_kernel(struct vrnic_ib_dev *vib)
{
	struct vrnic_kcq *kcq;
	unsigned long flags;

	spin_lock_irqsave(&vib->kernel_lock, flags);
	list_for_each_entry(kcq, &vib->kernel_cqs, entry)
		if (vrnic_kcq_is_used(kcq))
			vrnic_kcq_wake(kcq->cq);
	spin_unlock_irqrestore(&vib->kernel_lock, flags);
}
