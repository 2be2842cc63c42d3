// SPDX-License-Identifier: GPL-2.0
/*
 * A consumer of kernel verbs, for tests. Loading it runs all cases with itself
 * and prints KTAP; with hold=1 it only leaves requests with the device, until
 * that ends or the module is unloaded.
 */
#include <linux/module.h>

#include "cases.h"

static char *device = "vrnic0";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "name of the RDMA device");
static int gid;
module_param(gid, int, 0444);
MODULE_PARM_DESC(gid, "index of its GID");
static bool hold;
module_param(hold, bool, 0444);
MODULE_PARM_DESC(hold, "leave requests with the device");

static int kernel_verbs_add(struct ib_device *ib)
{
	if (strcmp(dev_name(&ib->dev), device))
		return -EOPNOTSUPP;
	if (hold)
		return holder_start(ib, gid);
	cases_run(ib, gid);
	return 0;
}

static void kernel_verbs_remove(struct ib_device *ib, void *data)
{
	if (hold)
		holder_stop();
}

static struct ib_client kernel_verbs_client = {
	.name = "kernel_verbs",
	.add = kernel_verbs_add,
	.remove = kernel_verbs_remove,
};

static int __init kernel_verbs_init(void)
{
	return ib_register_client(&kernel_verbs_client);
}

static void __exit kernel_verbs_exit(void)
{
	ib_unregister_client(&kernel_verbs_client);
}

module_init(kernel_verbs_init);
module_exit(kernel_verbs_exit);
MODULE_DESCRIPTION("Consumer of kernel verbs, for tests");
MODULE_LICENSE("GPL");
