// SPDX-License-Identifier: GPL-2.0
/* What "rdma -dd resource show" tells beyond the core's own. */
#include <rdma/rdma_cm.h>
#include <rdma/rdma_netlink.h>
#include <rdma/restrack.h>

#include "vrnic_ib.h"

struct vrnic_res_value {
	const char *name;
	u32 value;
};

static int vrnic_res_put(struct sk_buff *msg, const struct vrnic_res_value *values, size_t count)
{
	struct nlattr *table;
	size_t i;

	table = nla_nest_start(msg, RDMA_NLDEV_ATTR_DRIVER);
	if (!table)
		return -EMSGSIZE;
	for (i = 0; i < count; i++) {
		if (rdma_nl_put_driver_u32(msg, values[i].name, values[i].value)) {
			nla_nest_cancel(msg, table);
			return -EMSGSIZE;
		}
	}
	nla_nest_end(msg, table);
	return 0;
}

int vrnic_fill_res_mr(struct sk_buff *msg, struct ib_mr *ib)
{
	const struct vrnic_page_list *list = &to_vrnic_mr(ib)->memory.list;
	const struct vrnic_res_value values[] = {
		{ "pages", le32_to_cpu(list->num_pages) },
		{ "page_shift", list->page_shift },
		{ "levels", list->levels },
	};

	return vrnic_res_put(msg, values, ARRAY_SIZE(values));
}

int vrnic_fill_res_cq(struct sk_buff *msg, struct ib_cq *ib)
{
	const struct vrnic_cq *cq = to_vrnic_cq(ib);
	const struct vrnic_res_value values[] = {
		{ "cqn", cq->cqn },
		{ "entries", 1u << cq->log_size },
		{ "eqn", cq->handler.eqn },
	};

	return vrnic_res_put(msg, values, ARRAY_SIZE(values));
}

int vrnic_fill_res_qp(struct sk_buff *msg, struct ib_qp *ib)
{
	const struct vrnic_qp *qp = to_vrnic_qp(ib);
	const struct vrnic_res_value values[] = {
		{ "uar", qp->uar },
		{ "max_send_wr", qp->cap.max_send_wr },
		{ "max_recv_wr", qp->cap.max_recv_wr },
	};

	return vrnic_res_put(msg, values, ARRAY_SIZE(values));
}

int vrnic_fill_res_srq(struct sk_buff *msg, struct ib_srq *ib)
{
	const struct vrnic_srq *srq = to_vrnic_srq(ib);
	const struct vrnic_res_value values[] = {
		{ "srqn", srq->srqn },
		{ "max_wr", srq->max_wr },
		{ "max_sge", srq->max_sge },
	};

	return vrnic_res_put(msg, values, ARRAY_SIZE(values));
}

/* The tracker's reference keeps the id, and with it what it is bound to. */
int vrnic_fill_res_cm_id(struct sk_buff *msg, struct rdma_cm_id *id)
{
	const struct ib_gid_attr *gid = id->route.addr.dev_addr.sgid_attr;
	const struct vrnic_res_value values[] = {
		{ "sgid_index", gid ? gid->index : 0 },
	};

	return gid ? vrnic_res_put(msg, values, ARRAY_SIZE(values)) : 0;
}
