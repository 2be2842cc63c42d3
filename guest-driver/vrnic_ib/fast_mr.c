// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of kernel consumers: the key of all memory, and regions that requests
 * register (IB_WR_REG_MR) and invalidate.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "kernel.h"

/* Of the bus: a DMA address is an address of the region. */
struct ib_mr *vrnic_get_dma_mr(struct ib_pd *pd, int access)
{
	struct vrnic_cmd_alloc_dma_mr cmd = {
		.pdn = cpu_to_le32(to_vrnic_pd(pd)->pdn),
		.access = cpu_to_le32(vrnic_mr_access(access)),
	};
	struct vrnic_mr *mr;
	int ret;

	mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	ret = vrnic_cmd_alloc_dma_mr(vrnic_of(pd->device), &cmd, &mr->key);
	if (ret) {
		kfree(mr);
		return ERR_PTR(ret);
	}
	mr->ib.lkey = mr->key;
	mr->ib.rkey = mr->key;
	return &mr->ib;
}

static size_t vrnic_page_list_bytes(const struct vrnic_mr *mr)
{
	return mr->fast.max_pages * sizeof(*mr->fast.pages);
}

struct ib_mr *vrnic_alloc_mr(struct ib_pd *pd, enum ib_mr_type type, u32 max_num_sg)
{
	struct vrnic_dev *dev = vrnic_of(pd->device);
	struct vrnic_cmd_alloc_fast_mr cmd = {
		.pdn = cpu_to_le32(to_vrnic_pd(pd)->pdn),
		.max_pages = cpu_to_le32(max_num_sg),
	};
	struct vrnic_mr *mr;
	int ret;

	if (type != IB_MR_TYPE_MEM_REG ||
	    !vrnic_offers(pd->device, VRNIC_CAP_FAST_REG, "fast registrations"))
		return ERR_PTR(-EOPNOTSUPP);
	if (!max_num_sg || max_num_sg > le32_to_cpu(vrnic_caps(dev)->max_fast_pages))
		return ERR_PTR(-EINVAL);
	mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->fast.max_pages = max_num_sg;
	mr->fast.pages = dma_alloc_coherent(vrnic_dma_device(dev), vrnic_page_list_bytes(mr),
					    &mr->fast.dma, GFP_KERNEL);
	ret = -ENOMEM;
	if (!mr->fast.pages)
		goto free_mr;
	ret = vrnic_cmd_alloc_fast_mr(dev, &cmd, &mr->key);
	if (ret)
		goto free_pages;
	mr->ib.lkey = mr->key;
	mr->ib.rkey = mr->key;
	return &mr->ib;

free_pages:
	dma_free_coherent(vrnic_dma_device(dev), vrnic_page_list_bytes(mr), mr->fast.pages,
			  mr->fast.dma);
free_mr:
	kfree(mr);
	return ERR_PTR(ret);
}

void vrnic_fast_mr_release(struct ib_device *ib, struct vrnic_mr *mr)
{
	if (mr->fast.pages)
		dma_free_coherent(vrnic_dma_device(vrnic_of(ib)), vrnic_page_list_bytes(mr),
				  mr->fast.pages, mr->fast.dma);
}

static int vrnic_set_page(struct ib_mr *ib, u64 address)
{
	struct vrnic_mr *mr = to_vrnic_mr(ib);

	if (mr->fast.num_pages == mr->fast.max_pages)
		return -ENOMEM;
	mr->fast.pages[mr->fast.num_pages++] = cpu_to_le64(address);
	return 0;
}

/* The device reads the list when it carries out the registration. */
int vrnic_map_mr_sg(struct ib_mr *ib, struct scatterlist *list, int count, unsigned int *offset)
{
	struct vrnic_mr *mr = to_vrnic_mr(ib);

	if (ib->page_size < 1u << VRNIC_PAGE_SHIFT_MIN)
		return -EINVAL;
	mr->fast.num_pages = 0;
	return ib_sg_to_pages(ib, list, count, offset, vrnic_set_page);
}
