// SPDX-License-Identifier: GPL-2.0
/* Prints what vrnic_ib.ko tells kernel code of each RDMA device, before anything is created. */
#include <linux/module.h>

#include "vrnic_ib_query.h"

static int vrnic_query_add(struct ib_device *ib)
{
	u64 (*features_of)(struct ib_device *ib) = symbol_get(vrnic_ib_features);
	u64 features;

	if (!features_of)
		return -EOPNOTSUPP;
	features = features_of(ib);
	symbol_put(vrnic_ib_features);
	dev_info(&ib->dev, "queue pair types:%s%s%s%s\n", features & VRNIC_CAP_RC ? " rc" : "",
		 features & VRNIC_CAP_UC ? " uc" : "", features & VRNIC_CAP_UD ? " ud" : "",
		 features & VRNIC_CAP_XRC ? " xrc" : "");
	return -EOPNOTSUPP; /* asked, and not a user of it */
}

static struct ib_client vrnic_query_client = {
	.name = "vrnic_query",
	.add = vrnic_query_add,
	.no_kverbs_req = true,
};

static int __init vrnic_query_init(void)
{
	return ib_register_client(&vrnic_query_client);
}

static void __exit vrnic_query_exit(void)
{
	ib_unregister_client(&vrnic_query_client);
}

module_init(vrnic_query_init);
module_exit(vrnic_query_exit);
MODULE_DESCRIPTION("Asks vrnic what it offers, for tests");
MODULE_LICENSE("GPL");
