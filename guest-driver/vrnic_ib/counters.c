// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware counters: /sys/class/infiniband/X/ports/1/hw_counters, rdma statistic.
 * Queue pairs may be bound to a set of their own. The core adds up the port's and
 * those of all sets, so the port's are what no set has counted.
 */
#include <rdma/rdma_counter.h>

#include "vrnic_ib.h"

#define VRNIC_COUNTER_DESC(counter) { .name = #counter },
static const struct rdma_stat_desc vrnic_counter_descs[] = { VRNIC_COUNTERS(VRNIC_COUNTER_DESC) };
static_assert(ARRAY_SIZE(vrnic_counter_descs) == VRNIC_NUM_COUNTERS);

/* The Ethernet ones come first in the table, and are ethtool's. */
#define VRNIC_FIRST_RDMA_COUNTER                                                                   \
	(offsetof(struct vrnic_counters, roce_tx_packets) / sizeof(vrnic_le64))
#define VRNIC_NUM_RDMA_COUNTERS (VRNIC_NUM_COUNTERS - VRNIC_FIRST_RDMA_COUNTER)

static struct rdma_hw_stats *vrnic_alloc_stats(void)
{
	return rdma_alloc_hw_stats_struct(vrnic_counter_descs + VRNIC_FIRST_RDMA_COUNTER,
					  VRNIC_NUM_RDMA_COUNTERS, RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

static int vrnic_read_stats(struct ib_device *ib, u32 counters, struct rdma_hw_stats *stats)
{
	u64 values[VRNIC_NUM_COUNTERS];
	int ret = vrnic_cmd_query_counters(vrnic_of(ib), counters, values);

	if (ret)
		return ret;
	memcpy(stats->value, values + VRNIC_FIRST_RDMA_COUNTER,
	       VRNIC_NUM_RDMA_COUNTERS * sizeof(*values));
	return 0;
}

/* ---- the port ---- */

struct rdma_hw_stats *vrnic_alloc_hw_port_stats(struct ib_device *ib, u32 port)
{
	return vrnic_alloc_stats();
}

int vrnic_get_hw_stats(struct ib_device *ib, struct rdma_hw_stats *stats, u32 port, int index)
{
	int ret;

	if (port != VRNIC_PORT)
		return -EINVAL;
	ret = vrnic_read_stats(ib, VRNIC_COUNTERS_UNBOUND, stats);
	return ret ? ret : VRNIC_NUM_RDMA_COUNTERS;
}

/* ---- sets ---- */

/* The core's counter has our set's number, and 0 until its first queue pair comes. */
static int vrnic_counter_bind(struct rdma_counter *counter, struct ib_qp *ib)
{
	struct vrnic_dev *dev = vrnic_of(ib->device);
	u32 number = counter->id;
	int ret;

	if (!number) {
		ret = vrnic_cmd_create_counters(dev, &number);
		if (ret)
			return ret;
	}
	ret = vrnic_cmd_bind_counters(dev, to_vrnic_qp(ib)->qpn, number);
	if (!ret)
		counter->id = number;
	else if (!counter->id)
		vrnic_cmd_destroy_counters(dev, number);
	return ret;
}

static int vrnic_counter_unbind(struct ib_qp *ib)
{
	int ret = vrnic_cmd_bind_counters(vrnic_of(ib->device), to_vrnic_qp(ib)->qpn, 0);

	return ret == -EIO ? 0 : ret; /* a dead device counts nothing */
}

int vrnic_counter_dealloc(struct rdma_counter *counter)
{
	if (counter->id)
		vrnic_cmd_destroy_counters(vrnic_of(counter->device), counter->id);
	return 0;
}

struct rdma_hw_stats *vrnic_counter_alloc_stats(struct rdma_counter *counter)
{
	return vrnic_alloc_stats();
}

int vrnic_counter_update_stats(struct rdma_counter *counter)
{
	return vrnic_read_stats(counter->device, counter->id, counter->stats);
}

#ifdef VRNIC_HAVE_COUNTER_BIND_PORT
int vrnic_counter_bind_qp(struct rdma_counter *counter, struct ib_qp *ib, u32 port)
{
	return vrnic_counter_bind(counter, ib);
}

int vrnic_counter_unbind_qp(struct ib_qp *ib, u32 port)
{
	return vrnic_counter_unbind(ib);
}
#else
int vrnic_counter_bind_qp(struct rdma_counter *counter, struct ib_qp *ib)
{
	return vrnic_counter_bind(counter, ib);
}

int vrnic_counter_unbind_qp(struct ib_qp *ib)
{
	return vrnic_counter_unbind(ib);
}
#endif
