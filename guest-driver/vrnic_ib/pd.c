// SPDX-License-Identifier: GPL-2.0
/* Protection domains. */
#include "vrnic_ib.h"

int vrnic_alloc_pd(struct ib_pd *ib, struct ib_udata *udata)
{
	struct vrnic_dev *dev = vrnic_of(ib->device);
	struct vrnic_pd *pd = to_vrnic_pd(ib);
	struct vrnic_ib_alloc_pd_resp resp = {};
	int ret;

	ret = vrnic_cmd_alloc_pd(dev, &pd->pdn);
	if (ret || !udata)
		return ret;
	resp.pdn = pd->pdn;
	ret = vrnic_put_udata(udata, &resp, sizeof(resp));
	if (ret)
		vrnic_cmd_dealloc_pd(dev, pd->pdn);
	return ret;
}

/* Whatever the device says it is over: see vrnic_core.h. So are all destroys. */
int vrnic_dealloc_pd(struct ib_pd *ib, struct ib_udata *udata)
{
	vrnic_cmd_dealloc_pd(vrnic_of(ib->device), to_vrnic_pd(ib)->pdn);
	return 0;
}
