// SPDX-License-Identifier: GPL-2.0
/* Memory windows. Requests of a QP bind them; here they are only made and ended. */
#include "vrnic_ib.h"

static_assert((int)IB_MW_TYPE_1 == VRNIC_MW_TYPE_1);
static_assert((int)IB_MW_TYPE_2 == VRNIC_MW_TYPE_2);

int vrnic_alloc_mw(struct ib_mw *ib, struct ib_udata *udata)
{
	struct vrnic_cmd_alloc_mw cmd = {
		.pdn = cpu_to_le32(to_vrnic_pd(ib->pd)->pdn),
		.type = ib->type,
	};

	if (!vrnic_offers(ib->device, VRNIC_CAP_WINDOWS, "memory windows"))
		return -EOPNOTSUPP;
	if (udata->inlen && !ib_is_udata_cleared(udata, 0, udata->inlen))
		return -EINVAL;
	return vrnic_cmd_alloc_mw(vrnic_of(ib->device), &cmd, &ib->rkey);
}

/* Binding has changed the key since, but not its index, which is what counts. */
int vrnic_dealloc_mw(struct ib_mw *ib)
{
	vrnic_cmd_dealloc_mw(vrnic_of(ib->device), ib->rkey);
	return 0;
}
