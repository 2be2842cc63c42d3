// SPDX-License-Identifier: GPL-2.0
/* What `devlink dev info` shows. */
#include <net/devlink.h>

#include "vrnic.h"

static int vrnic_devlink_info(struct devlink *devlink, struct devlink_info_req *req,
			      struct netlink_ext_ack *extack)
{
	struct vrnic_dev **dev = devlink_priv(devlink);
	char version[VRNIC_VERSION_LEN];

	vrnic_format_version((*dev)->caps, version);
	return devlink_info_version_running_put(req, DEVLINK_INFO_VERSION_GENERIC_FW, version);
}

static const struct devlink_ops vrnic_devlink_ops = {
	.info_get = vrnic_devlink_info,
};

/* After the device said what it is. */
int vrnic_devlink_register(struct vrnic_dev *dev)
{
	struct devlink *devlink =
		devlink_alloc(&vrnic_devlink_ops, sizeof(dev), &dev->pdev->dev);

	if (!devlink)
		return -ENOMEM;
	*(struct vrnic_dev **)devlink_priv(devlink) = dev;
	dev->devlink = devlink;
	devlink_register(devlink);
	return 0;
}

/* Waits for those who ask. */
void vrnic_devlink_unregister(struct vrnic_dev *dev)
{
	devlink_unregister(dev->devlink);
	devlink_free(dev->devlink);
}
