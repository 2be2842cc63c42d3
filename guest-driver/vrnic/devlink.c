// SPDX-License-Identifier: GPL-2.0
/* `devlink dev info` and `devlink dev reload`. */
#include <net/devlink.h>

#include "vrnic.h"
#include "vrnic_config.h" /* what this kernel has */

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

static int vrnic_devlink_reload_down(struct devlink *devlink, bool netns_change,
				     enum devlink_reload_action action,
				     enum devlink_reload_limit limit,
				     struct netlink_ext_ack *extack)
{
	struct vrnic_dev **dev = devlink_priv(devlink);

	if (netns_change) {
		NL_SET_ERR_MSG_MOD(extack, "the netdev and the RDMA device change namespaces by themselves");
		return -EOPNOTSUPP;
	}
	vrnic_pause(*dev);
	return 0;
}

static int vrnic_devlink_reload_up(struct devlink *devlink, enum devlink_reload_action action,
				   enum devlink_reload_limit limit, u32 *actions_performed,
				   struct netlink_ext_ack *extack)
{
	struct vrnic_dev **dev = devlink_priv(devlink);

	*actions_performed = BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT);
	return vrnic_resume(*dev);
}

static const struct devlink_ops vrnic_devlink_ops = {
	.info_get = vrnic_devlink_info,
	.reload_actions = BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT),
	.reload_down = vrnic_devlink_reload_down,
	.reload_up = vrnic_devlink_reload_up,
};

/* After the device said what it is. */
int vrnic_devlink_register(struct vrnic_dev *dev)
{
	struct devlink *devlink =
		devlink_alloc(&vrnic_devlink_ops, sizeof(dev), &dev->pdev->dev);
	int ret;

	if (!devlink)
		return -ENOMEM;
	*(struct vrnic_dev **)devlink_priv(devlink) = dev;
	dev->devlink = devlink;
#ifdef VRNIC_HAVE_DEVLINK_FEATURES
	devlink_set_features(devlink, DEVLINK_F_RELOAD);
#endif
	ret = vrnic_reporter_create(dev);
	if (ret) {
		devlink_free(devlink);
		return ret;
	}
	devlink_register(devlink);
	return 0;
}

/* Waits for those who ask. Nobody reports a death any more. */
void vrnic_devlink_unregister(struct vrnic_dev *dev)
{
	devlink_unregister(dev->devlink);
	vrnic_reporter_destroy(dev);
	devlink_free(dev->devlink);
}
