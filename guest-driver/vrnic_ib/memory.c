// SPDX-License-Identifier: GPL-2.0
/*
 * Pinned user memory, and the page tables that tell the device of it.
 *
 * Every table is 4 KiB of 512 addresses. The lowest level holds the pages; each
 * level above holds the tables of the one below, until one table is left. One
 * page needs no table. The device reads the tables during the command only.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <rdma/iter.h>

#include "vrnic_ib.h"

#define VRNIC_TABLE_BYTES (VRNIC_PAGE_TABLE_ENTRIES * sizeof(__le64))

struct vrnic_page_table {
	__le64 *entries;
	dma_addr_t dma;
};

static struct device *vrnic_memory_device(struct ib_device *ib)
{
	return vrnic_dma_device(vrnic_of(ib));
}

void vrnic_memory_free_tables(struct ib_device *ib, struct vrnic_memory *memory)
{
	unsigned int i;

	for (i = 0; i < memory->num_tables; i++)
		dma_free_coherent(vrnic_memory_device(ib), VRNIC_TABLE_BYTES,
				  memory->tables[i].entries, memory->tables[i].dma);
	kvfree(memory->tables);
	memory->tables = NULL;
	memory->num_tables = 0;
}

static int vrnic_memory_alloc_tables(struct ib_device *ib, struct vrnic_memory *memory, size_t count)
{
	memory->num_tables = 0;
	memory->tables = kvcalloc(count, sizeof(*memory->tables), GFP_KERNEL);
	if (!memory->tables)
		return -ENOMEM;
	while (memory->num_tables < count) {
		struct vrnic_page_table *table = &memory->tables[memory->num_tables];

		table->entries = dma_alloc_coherent(vrnic_memory_device(ib), VRNIC_TABLE_BYTES,
						    &table->dma, GFP_KERNEL);
		if (!table->entries) {
			vrnic_memory_free_tables(ib, memory);
			return -ENOMEM;
		}
		memory->num_tables++;
	}
	return 0;
}

/* Entry n of the level whose tables begin at tables. */
static void vrnic_table_set(struct vrnic_page_table *tables, size_t n, dma_addr_t addr)
{
	tables[n / VRNIC_PAGE_TABLE_ENTRIES].entries[n % VRNIC_PAGE_TABLE_ENTRIES] =
		cpu_to_le64(addr);
}

/* Fills the levels from the pages up; returns how many there are. */
static unsigned int vrnic_memory_fill_tables(struct vrnic_memory *memory, size_t num_pages,
					     unsigned long page_size)
{
	size_t count = DIV_ROUND_UP(num_pages, VRNIC_PAGE_TABLE_ENTRIES);
	struct vrnic_page_table *level = memory->tables;
	struct ib_block_iter block;
	unsigned int levels = 1;
	size_t i = 0;

	rdma_umem_for_each_dma_block(memory->umem, &block, page_size)
		vrnic_table_set(level, i++, rdma_block_iter_dma_address(&block));

	while (count > 1) {
		struct vrnic_page_table *above = level + count;

		for (i = 0; i < count; i++)
			vrnic_table_set(above, i, level[i].dma);
		level = above;
		count = DIV_ROUND_UP(count, VRNIC_PAGE_TABLE_ENTRIES);
		levels++;
	}
	memory->list.addr = cpu_to_le64(level->dma);
	return levels;
}

/* Pages and tables of memory->umem, which is mapped; the caller frees the tables after the command. */
int vrnic_memory_describe(struct ib_device *ib, struct vrnic_memory *memory, u64 iova)
{
	const struct vrnic_device_caps *caps = vrnic_caps(vrnic_of(ib));
	size_t num_pages, count, num_tables = 0;
	unsigned long page_size;
	unsigned int levels = 1;
	int ret;

	page_size = ib_umem_find_best_pgsz(memory->umem, le64_to_cpu(caps->page_size_mask), iova);
	if (!page_size)
		return -EINVAL;
	num_pages = ib_umem_num_dma_blocks(memory->umem, page_size);
	if (!num_pages || num_pages > U32_MAX || num_pages > le32_to_cpu(caps->max_mr_pages))
		return -ENOMEM;

	memory->list = (struct vrnic_page_list){
		.num_pages = cpu_to_le32(num_pages),
		.offset = cpu_to_le32(iova & (page_size - 1)),
		.page_shift = ilog2(page_size),
	};
	if (num_pages == 1) {
		struct ib_block_iter block;

		rdma_umem_for_each_dma_block(memory->umem, &block, page_size)
			memory->list.addr = cpu_to_le64(rdma_block_iter_dma_address(&block));
		return 0;
	}

	for (count = num_pages; count > 1; num_tables += count)
		count = DIV_ROUND_UP(count, VRNIC_PAGE_TABLE_ENTRIES);
	ret = vrnic_memory_alloc_tables(ib, memory, num_tables);
	if (ret)
		return ret;
	levels = vrnic_memory_fill_tables(memory, num_pages, page_size);
	if (levels > VRNIC_PAGE_LEVELS_MAX) {
		vrnic_memory_free_tables(ib, memory);
		return -ENOMEM;
	}
	memory->list.levels = levels;
	return 0;
}

/*
 * Pins user memory and describes it in memory->list for one command, after
 * which the caller frees the tables. start: where it is in the process; iova:
 * the address it will have for the device, equal to start within a page.
 */
int vrnic_memory_pin(struct ib_device *ib, struct vrnic_memory *memory, u64 start, u64 length,
		     u64 iova, int access)
{
	struct ib_umem *umem;
	int ret;

	memory->tables = NULL;
	memory->num_tables = 0;
	umem = ib_umem_get(ib, start, length, access);
	if (IS_ERR(umem))
		return PTR_ERR(umem);
	memory->umem = umem;
	ret = vrnic_memory_describe(ib, memory, iova);
	if (ret)
		ib_umem_release(umem);
	return ret;
}

/* After the object that used it was destroyed, or was not made. */
void vrnic_memory_release(struct ib_device *ib, struct vrnic_memory *memory)
{
	vrnic_memory_free_tables(ib, memory);
	ib_umem_release(memory->umem);
}
