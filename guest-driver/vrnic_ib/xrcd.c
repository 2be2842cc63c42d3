// SPDX-License-Identifier: GPL-2.0
/* XRC domains. */
#include "vrnic_ib.h"

int vrnic_alloc_xrcd(struct ib_xrcd *ib, struct ib_udata *udata)
{
	if (!vrnic_offers(ib->device, VRNIC_CAP_XRC, "XRC domains"))
		return -EOPNOTSUPP;
	return vrnic_cmd_alloc_xrcd(vrnic_of(ib->device), &to_vrnic_xrcd(ib)->xrcdn);
}

int vrnic_dealloc_xrcd(struct ib_xrcd *ib, struct ib_udata *udata)
{
	vrnic_cmd_dealloc_xrcd(vrnic_of(ib->device), to_vrnic_xrcd(ib)->xrcdn);
	return 0;
}
