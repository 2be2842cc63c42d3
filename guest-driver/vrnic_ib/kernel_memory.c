// SPDX-License-Identifier: GPL-2.0
/* Memory of the queues of kernel consumers, and what goes into their entries alike. */
#include <linux/dma-mapping.h>
#include <linux/log2.h>

#include "kernel.h"

/* Contiguous on the bus; kernel consumers' queues are small. */
int vrnic_kmem_alloc(struct ib_device *ib, struct vrnic_kmem *memory, size_t size)
{
	memory->size = size;
	memory->cpu = dma_alloc_coherent(vrnic_dma_device(vrnic_of(ib)), size, &memory->dma,
					 GFP_KERNEL | __GFP_NOWARN);
	return memory->cpu ? 0 : -ENOMEM;
}

void vrnic_kmem_free(struct ib_device *ib, struct vrnic_kmem *memory)
{
	dma_free_coherent(vrnic_dma_device(vrnic_of(ib)), memory->size, memory->cpu, memory->dma);
}

/* Of the smallest entry that holds so many bytes. */
u8 vrnic_log_stride(size_t bytes, u8 min)
{
	return max_t(u8, order_base_2(bytes), min);
}

void vrnic_write_list(struct vrnic_sge *out, const struct ib_sge *list, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		out[i].addr = cpu_to_le64(list[i].addr);
		out[i].length = cpu_to_le32(list[i].length);
		out[i].lkey = cpu_to_le32(list[i].lkey);
	}
}
