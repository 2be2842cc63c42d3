// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "xrcd_handle.h"

#include <infiniband/driver.h>

uint32_t vrnic_xrcd_handle(struct ibv_xrcd *xrcd)
{
	return container_of(xrcd, struct verbs_xrcd, xrcd)->handle;
}
