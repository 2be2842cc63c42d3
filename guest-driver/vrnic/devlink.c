// SPDX-License-Identifier: GPL-2.0
/* What `devlink dev info` shows. */
#include <net/devlink.h>

#include "vrnic.h"

static const struct {
	u64 feature;
	const char *name;
} vrnic_qp_types[] = {
	{ VRNIC_CAP_RC, "rc" },
	{ VRNIC_CAP_UC, "uc" },
	{ VRNIC_CAP_UD, "ud" },
	{ VRNIC_CAP_XRC, "xrc" },
};

/* As the device's property of this name has them: "rc+ud". */
static int vrnic_put_qp_types(struct devlink_info_req *req, u64 features)
{
	char types[32] = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vrnic_qp_types); i++) {
		if (!(features & vrnic_qp_types[i].feature))
			continue;
		if (types[0])
			strlcat(types, "+", sizeof(types));
		strlcat(types, vrnic_qp_types[i].name, sizeof(types));
	}
	return devlink_info_version_fixed_put(req, "qp-types", types);
}

/* What nobody else in the kernel carries to a program that has not opened the RDMA device. */
static int vrnic_devlink_info(struct devlink *devlink, struct devlink_info_req *req,
			      struct netlink_ext_ack *extack)
{
	struct vrnic_dev **dev = devlink_priv(devlink);
	u64 features = le64_to_cpu((*dev)->caps->features);
	char version[VRNIC_VERSION_LEN];
	int ret;

	vrnic_format_version((*dev)->caps, version);
	ret = devlink_info_version_running_put(req, DEVLINK_INFO_VERSION_GENERIC_FW, version);
	if (!ret)
		ret = devlink_info_version_fixed_put(req, "kverbs",
						     features & VRNIC_CAP_KERNEL ? "on" : "off");
	return ret ?: vrnic_put_qp_types(req, features);
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
