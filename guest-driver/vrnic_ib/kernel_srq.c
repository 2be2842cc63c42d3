// SPDX-License-Identifier: GPL-2.0
/* Shared receive queues of kernel consumers. */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "kernel.h"

void vrnic_ksrq_free(struct vrnic_srq *srq)
{
	struct vrnic_ksrq *ksrq = srq->kernel;

	kvfree(ksrq->wr_ids);
	kvfree(ksrq->free_tags);
	if (ksrq->memory.cpu)
		vrnic_kmem_free(srq->ib.device, &ksrq->memory);
	kfree(ksrq);
	srq->kernel = NULL;
}

static int vrnic_ksrq_alloc(struct vrnic_srq *srq, u32 max_wr)
{
	struct vrnic_ksrq *ksrq = srq->kernel;
	size_t ring = ALIGN((size_t)ksrq->entries << ksrq->log_stride, 64);
	int ret;

	ksrq->wr_ids = kvcalloc(max_wr, sizeof(*ksrq->wr_ids), GFP_KERNEL);
	ksrq->free_tags = kvcalloc(max_wr, sizeof(*ksrq->free_tags), GFP_KERNEL);
	if (!ksrq->wr_ids || !ksrq->free_tags)
		return -ENOMEM;
	for (ksrq->num_free = 0; ksrq->num_free < max_wr; ksrq->num_free++)
		ksrq->free_tags[ksrq->num_free] = ksrq->num_free;

	ret = vrnic_kmem_alloc(srq->ib.device, &ksrq->memory, ring + sizeof(*ksrq->dbrec));
	if (ret)
		return ret;
	ksrq->ring = ksrq->memory.cpu;
	ksrq->dbrec = ksrq->memory.cpu + ring;
	return 0;
}

/* Makes the queue and describes it in the command. */
int vrnic_ksrq_create(struct vrnic_srq *srq, const struct ib_srq_init_attr *init,
		      struct vrnic_cmd_create_srq *cmd)
{
	struct vrnic_ksrq *ksrq;
	int ret;

	ksrq = kzalloc(sizeof(*ksrq), GFP_KERNEL);
	if (!ksrq)
		return -ENOMEM;
	srq->kernel = ksrq;
	spin_lock_init(&ksrq->lock);
	ksrq->max_sge = init->attr.max_sge;
	ksrq->entries = roundup_pow_of_two(init->attr.max_wr);
	ksrq->num_tags = init->attr.max_wr;
	ksrq->log_stride = vrnic_log_stride(VRNIC_RQE_DATA_OFFSET +
						    ksrq->max_sge * sizeof(struct vrnic_sge),
					    VRNIC_RQE_STRIDE_MIN_LOG);
	ret = vrnic_ksrq_alloc(srq, init->attr.max_wr);
	if (ret) {
		vrnic_ksrq_free(srq);
		return ret;
	}
	cmd->log_size = ilog2(ksrq->entries);
	cmd->log_stride = ksrq->log_stride;
	cmd->dbrec_offset = cpu_to_le32((void *)ksrq->dbrec - ksrq->memory.cpu);
	vrnic_contiguous(&cmd->memory, ksrq->memory.dma, ksrq->memory.size);
	return 0;
}

/* Under the completion queue's lock. False: no such entry is outstanding, the device is wrong. */
bool vrnic_ksrq_complete(struct vrnic_srq *srq, u32 tag, u64 *wr_id)
{
	struct vrnic_ksrq *ksrq = srq->kernel;
	bool known;

	if (!ksrq)
		return false;
	spin_lock(&ksrq->lock); /* interrupts are off */
	known = tag < ksrq->num_tags && ksrq->num_free < ksrq->num_tags;
	if (known) {
		*wr_id = ksrq->wr_ids[tag];
		ksrq->free_tags[ksrq->num_free++] = tag;
	}
	spin_unlock(&ksrq->lock);
	return known;
}

static int vrnic_build_srq_recv(struct vrnic_ksrq *ksrq, u32 index, const struct ib_recv_wr *wr)
{
	struct vrnic_rqe *rqe;
	u32 tag;

	if (!ksrq->num_free)
		return -ENOMEM;
	if (wr->num_sge < 0 || wr->num_sge > ksrq->max_sge)
		return -EINVAL;
	tag = ksrq->free_tags[--ksrq->num_free];
	ksrq->wr_ids[tag] = wr->wr_id;
	rqe = ksrq->ring + ((size_t)(index & (ksrq->entries - 1)) << ksrq->log_stride);
	memset(rqe, 0, VRNIC_RQE_DATA_OFFSET);
	rqe->num_sge = cpu_to_le32(wr->num_sge);
	rqe->tag = cpu_to_le32(tag);
	vrnic_write_list(rqe->sge, wr->sg_list, wr->num_sge);
	return 0;
}

int vrnic_post_srq_recv(struct ib_srq *ib, const struct ib_recv_wr *wr,
			const struct ib_recv_wr **bad_wr)
{
	struct vrnic_srq *srq = to_vrnic_srq(ib);
	struct vrnic_ksrq *ksrq = srq->kernel;
	unsigned long flags;
	int ret = 0;
	u32 index;

	spin_lock_irqsave(&ksrq->lock, flags);
	index = ksrq->posted;
	for (; wr; wr = wr->next, index++) {
		ret = vrnic_build_srq_recv(ksrq, index, wr);
		if (ret)
			break;
	}
	if (index != ksrq->posted) {
		ksrq->posted = index;
		dma_wmb(); /* the entries before the index */
		WRITE_ONCE(ksrq->dbrec->pi, cpu_to_le32(index));
	}
	spin_unlock_irqrestore(&ksrq->lock, flags);
	if (ret) {
		*bad_wr = wr;
		ibdev_dbg(ib->device, "SRQ %u: receive request refused: %d\n", srq->srqn, ret);
	}
	return ret;
}
