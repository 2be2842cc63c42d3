// SPDX-License-Identifier: GPL-2.0
/* Queue pairs of kernel consumers: their memory, and what they leave behind. */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "kernel.h"

/* Bytes of the largest entry of the send queue that the consumer may post. */
static size_t vrnic_send_entry_bytes(const struct ib_qp_init_attr *init)
{
	size_t data = max_t(size_t, init->cap.max_send_sge * sizeof(struct vrnic_sge),
			    init->cap.max_inline_data);

	if (init->qp_type == IB_QPT_UD || init->qp_type == IB_QPT_GSI)
		return VRNIC_SQE_DATAGRAM_DATA_OFFSET + data;
	/* Room for the longest second segment. */
	return VRNIC_SQE_DATA_OFFSET + max(data, sizeof(struct vrnic_sqe_reg));
}

/* Of max_wr requests; fields that need memory come later. */
static void vrnic_kqueue_shape(struct vrnic_kqueue *queue, u32 max_wr, u32 max_sge, u8 log_stride)
{
	spin_lock_init(&queue->lock);
	queue->max_wr = max_wr;
	queue->max_sge = max_sge;
	queue->entries = max_wr ? roundup_pow_of_two(max_wr) : 0;
	queue->log_stride = log_stride;
}

static size_t vrnic_kqueue_bytes(const struct vrnic_kqueue *queue)
{
	return ALIGN((size_t)queue->entries << queue->log_stride, 64);
}

static int vrnic_kqueue_check(const struct vrnic_kqueue *queue, vrnic_le32 max_entries,
			      vrnic_le32 max_sge, u8 max_log_stride)
{
	if (queue->max_wr > le32_to_cpu(max_entries) || queue->max_sge > le32_to_cpu(max_sge) ||
	    queue->log_stride > max_log_stride)
		return -EINVAL;
	return 0;
}

static int vrnic_kqueue_alloc_work(struct vrnic_kqueue *queue)
{
	if (!queue->entries)
		return 0;
	queue->work = kvcalloc(queue->entries, sizeof(*queue->work), GFP_KERNEL);
	return queue->work ? 0 : -ENOMEM;
}

static u8 vrnic_kqueue_log_size(const struct vrnic_kqueue *queue)
{
	return queue->entries ? ilog2(queue->entries) : VRNIC_NO_QUEUE;
}

static int vrnic_kqp_shape(struct vrnic_kqp *kqp, const struct vrnic_device_caps *caps,
			   const struct ib_qp_init_attr *init)
{
	const struct ib_qp_cap *cap = &init->cap;
	bool receives = !init->srq;
	int ret;

	if (cap->max_inline_data > le32_to_cpu(caps->max_inline) ||
	    cap->max_send_sge > le32_to_cpu(caps->max_send_sge))
		return -EINVAL;
	kqp->max_inline = cap->max_inline_data;
	vrnic_kqueue_shape(&kqp->send, cap->max_send_wr, cap->max_send_sge,
			   vrnic_log_stride(vrnic_send_entry_bytes(init),
					    VRNIC_SQE_STRIDE_MIN_LOG));
	vrnic_kqueue_shape(&kqp->recv, receives ? cap->max_recv_wr : 0, cap->max_recv_sge,
			   vrnic_log_stride(VRNIC_RQE_DATA_OFFSET + (size_t)cap->max_recv_sge *
								    sizeof(struct vrnic_sge),
					    VRNIC_RQE_STRIDE_MIN_LOG));
	ret = vrnic_kqueue_check(&kqp->send, caps->max_sq_entries, caps->max_send_sge,
				 VRNIC_SQE_STRIDE_MAX_LOG);
	if (ret || !receives)
		return ret;
	return vrnic_kqueue_check(&kqp->recv, caps->max_rq_entries, caps->max_recv_sge,
				  VRNIC_RQE_STRIDE_MAX_LOG);
}

void vrnic_kqp_free(struct vrnic_qp *qp)
{
	struct vrnic_kqp *kqp = qp->kernel;

	kvfree(kqp->send.work);
	kvfree(kqp->recv.work);
	if (kqp->memory.cpu)
		vrnic_kmem_free(qp->ib.device, &kqp->memory);
	kfree(kqp);
	qp->kernel = NULL;
}

/* Makes the queues and describes them in the command. */
int vrnic_kqp_create(struct vrnic_qp *qp, const struct ib_qp_init_attr *init,
		     struct vrnic_cmd_create_qp *cmd)
{
	struct ib_device *ib = qp->ib.device;
	size_t send_bytes, recv_bytes;
	struct vrnic_kqp *kqp;
	int ret;

	kqp = kzalloc(sizeof(*kqp), GFP_KERNEL);
	if (!kqp)
		return -ENOMEM;
	kqp->qp = qp;
	qp->kernel = kqp;
	INIT_LIST_HEAD(&kqp->sender);
	INIT_LIST_HEAD(&kqp->receiver);
	ret = vrnic_kqp_shape(kqp, vrnic_caps(vrnic_of(ib)), init);
	if (ret)
		goto free;
	ret = vrnic_kqueue_alloc_work(&kqp->send);
	if (!ret)
		ret = vrnic_kqueue_alloc_work(&kqp->recv);
	if (ret)
		goto free;

	send_bytes = vrnic_kqueue_bytes(&kqp->send);
	recv_bytes = vrnic_kqueue_bytes(&kqp->recv);
	ret = vrnic_kmem_alloc(ib, &kqp->memory, send_bytes + recv_bytes + sizeof(*kqp->dbrec));
	if (ret)
		goto free;
	kqp->dbrec = kqp->memory.cpu + send_bytes + recv_bytes;
	kqp->send.ring = kqp->memory.cpu;
	kqp->send.record = &kqp->dbrec->sq_pi;
	kqp->recv.ring = kqp->memory.cpu + send_bytes;
	kqp->recv.record = &kqp->dbrec->rq_pi;

	cmd->flags |= cpu_to_le32(VRNIC_QP_PRIVILEGED);
	cmd->sq_log_size = vrnic_kqueue_log_size(&kqp->send);
	cmd->sq_log_stride = kqp->send.log_stride;
	cmd->rq_log_size = vrnic_kqueue_log_size(&kqp->recv);
	cmd->rq_log_stride = kqp->recv.log_stride;
	cmd->rq_offset = cpu_to_le32(send_bytes);
	cmd->dbrec_offset = cpu_to_le32(send_bytes + recv_bytes);
	vrnic_contiguous(&cmd->memory, kqp->memory.dma, kqp->memory.size);
	return 0;

free:
	vrnic_kqp_free(qp);
	return ret;
}

/* The device knows the QP no more: nothing of it is delivered from now on. */
void vrnic_kqp_leave(struct vrnic_qp *qp)
{
	vrnic_kcq_remove(to_vrnic_cq(qp->ib.send_cq), qp);
	if (qp->ib.recv_cq != qp->ib.send_cq)
		vrnic_kcq_remove(to_vrnic_cq(qp->ib.recv_cq), qp);
}

static void vrnic_kqueue_reset(struct vrnic_kqueue *queue)
{
	queue->posted = 0;
	queue->done = 0;
	*queue->record = 0;
}

/* In RESET, where the consumer neither posts nor expects a completion: as new. */
void vrnic_kqp_reset(struct vrnic_qp *qp)
{
	vrnic_kcq_discard(to_vrnic_cq(qp->ib.send_cq), qp);
	vrnic_kcq_discard(to_vrnic_cq(qp->ib.recv_cq), qp);
	vrnic_kqueue_reset(&qp->kernel->send);
	vrnic_kqueue_reset(&qp->kernel->recv);
	qp->kernel->dbrec->sq_busy = 0;
	qp->kernel->failed = false;
}

/* The QP is in the error state: its receives are flushed, also those that are posted later. Any context. */
void vrnic_kqp_fail(struct vrnic_qp *qp)
{
	if (READ_ONCE(qp->kernel->failed) || !qp->kernel->recv.entries)
		return;
	WRITE_ONCE(qp->kernel->failed, true);
	smp_mb(); /* against vrnic_post_recv: one of us sees the other */
	vrnic_ring_doorbell(vrnic_of(qp->ib.device), VRNIC_DB_TYPE_RQ, qp->qpn);
}
