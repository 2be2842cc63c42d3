// SPDX-License-Identifier: GPL-2.0
/* Hardware counters of the port: /sys/class/infiniband/X/ports/1/hw_counters, rdma statistic. */
#include "vrnic_ib.h"

#define VRNIC_COUNTER_DESC(counter) { .name = #counter },
static const struct rdma_stat_desc vrnic_counter_descs[] = { VRNIC_COUNTERS(VRNIC_COUNTER_DESC) };
static_assert(ARRAY_SIZE(vrnic_counter_descs) == VRNIC_NUM_COUNTERS);

/* The Ethernet ones come first in the table, and are ethtool's. */
#define VRNIC_FIRST_RDMA_COUNTER                                                                   \
	(offsetof(struct vrnic_counters, roce_tx_packets) / sizeof(vrnic_le64))
#define VRNIC_NUM_RDMA_COUNTERS (VRNIC_NUM_COUNTERS - VRNIC_FIRST_RDMA_COUNTER)

struct rdma_hw_stats *vrnic_alloc_hw_port_stats(struct ib_device *ib, u32 port)
{
	return rdma_alloc_hw_stats_struct(vrnic_counter_descs + VRNIC_FIRST_RDMA_COUNTER,
					  VRNIC_NUM_RDMA_COUNTERS, RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

int vrnic_get_hw_stats(struct ib_device *ib, struct rdma_hw_stats *stats, u32 port, int index)
{
	u64 values[VRNIC_NUM_COUNTERS];
	int ret;

	if (port != VRNIC_PORT)
		return -EINVAL;
	ret = vrnic_cmd_query_counters(vrnic_of(ib), values);
	if (ret)
		return ret;
	memcpy(stats->value, values + VRNIC_FIRST_RDMA_COUNTER,
	       VRNIC_NUM_RDMA_COUNTERS * sizeof(*values));
	return VRNIC_NUM_RDMA_COUNTERS;
}
