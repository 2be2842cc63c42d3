// SPDX-License-Identifier: GPL-2.0
/* ib_device_ops.counter_bind_qp and counter_unbind_qp are told the port. */
#include <rdma/ib_verbs.h>

static int probe(struct rdma_counter *counter, struct ib_qp *qp, u32 port)
{
	return 0;
}

const struct ib_device_ops probe_ops = { .counter_bind_qp = probe };
