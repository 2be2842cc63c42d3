// SPDX-License-Identifier: GPL-2.0
/*
 * Memory regions of another driver's memory (dma-buf). Its owner may move it
 * at any time, and tells us so: the region is revoked then, for good, since
 * this device cannot wait for pages.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "vrnic_ib.h"

/* With the buffer's reservation lock held, as everything here that changes mr->revoked. */
static void vrnic_dmabuf_moves(struct dma_buf_attachment *attach)
{
	struct ib_umem_dmabuf *umem = attach->importer_priv;
	struct vrnic_mr *mr = umem->private;

	if (!mr || mr->revoked)
		return;
	mr->revoked = true;
	/* When it fails the device is dead, and reaches no memory any more. */
	vrnic_cmd_revoke_mr(vrnic_of(mr->ib.device), mr->key);
	ib_umem_dmabuf_unmap_pages(umem);
}

static struct dma_buf_attach_ops vrnic_dmabuf_ops = {
	.allow_peer2peer = false, /* the device reaches RAM only */
	.move_notify = vrnic_dmabuf_moves,
};

/* With the reservation lock held: the buffer stays where it is until the device has the region. */
static int vrnic_dmabuf_register(struct vrnic_mr *mr, struct ib_umem_dmabuf *umem, struct ib_pd *pd,
				 u64 iova)
{
	int ret;

	ret = ib_umem_dmabuf_map_pages(umem);
	if (ret)
		return ret;
	mr->memory.umem = &umem->umem;
	ret = vrnic_memory_describe(pd->device, &mr->memory, iova);
	if (ret)
		return ret;
	ret = vrnic_mr_register(mr, pd, umem->umem.length);
	vrnic_memory_free_tables(pd->device, &mr->memory);
	if (!ret)
		umem->private = mr;
	return ret;
}

struct ib_mr *vrnic_reg_dmabuf_mr(struct ib_pd *pd, u64 offset, u64 length, u64 iova, int fd,
				  int access, struct ib_udata *udata)
{
	struct ib_umem_dmabuf *umem;
	struct vrnic_mr *mr;
	int ret;

	ret = vrnic_mr_check(pd->device, length, access, udata);
	if (ret)
		return ERR_PTR(ret);
	mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	vrnic_mr_init(mr, pd->device, iova, access);

	umem = ib_umem_dmabuf_get(pd->device, offset, length, fd, access, &vrnic_dmabuf_ops);
	if (IS_ERR(umem)) {
		ret = PTR_ERR(umem);
		goto free_mr;
	}
	dma_resv_lock(umem->attach->dmabuf->resv, NULL);
	ret = vrnic_dmabuf_register(mr, umem, pd, iova);
	dma_resv_unlock(umem->attach->dmabuf->resv);
	if (ret)
		goto release;
	return &mr->ib;

release:
	ib_umem_release(&umem->umem);
free_mr:
	kfree(mr);
	return ERR_PTR(ret);
}

/* From now on a move is not our business any more. */
void vrnic_dmabuf_forget(struct vrnic_mr *mr)
{
	struct ib_umem_dmabuf *umem = to_ib_umem_dmabuf(mr->memory.umem);

	dma_resv_lock(umem->attach->dmabuf->resv, NULL);
	mr->revoked = true;
	dma_resv_unlock(umem->attach->dmabuf->resv);
}
