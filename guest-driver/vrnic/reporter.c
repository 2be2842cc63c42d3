// SPDX-License-Identifier: GPL-2.0
/*
 * `devlink health`: a device that died is reported, what it was like is kept,
 * and it is started again; or, when its user wants that, only by his command.
 */
#include <net/devlink.h>

#include "vrnic.h"

static void vrnic_dump_admin(struct vrnic_dev *dev, struct devlink_fmsg *fmsg)
{
	devlink_fmsg_pair_nest_start(fmsg, "admin queue");
	devlink_fmsg_obj_nest_start(fmsg);
	devlink_fmsg_u32_pair_put(fmsg, "producer", dev->admin.sq_pi);
	devlink_fmsg_u32_pair_put(fmsg, "consumer", dev->admin.cq_ci);
	devlink_fmsg_obj_nest_end(fmsg);
	devlink_fmsg_pair_nest_end(fmsg);
}

static void vrnic_dump_eqs(struct vrnic_dev *dev, struct devlink_fmsg *fmsg)
{
	unsigned int i;

	devlink_fmsg_arr_pair_nest_start(fmsg, "event queues' consumers");
	for (i = 0; i < dev->num_eqs; i++)
		devlink_fmsg_u32_put(fmsg, lower_32_bits(dev->eqs[i].ci));
	devlink_fmsg_arr_pair_nest_end(fmsg);
}

/* Nothing here waits for the device. */
static void vrnic_dump(struct vrnic_dev *dev, struct devlink_fmsg *fmsg)
{
	devlink_fmsg_string_pair_put(fmsg, "given up", dev->death ?: "never");
	devlink_fmsg_bool_pair_put(fmsg, "dead", vrnic_is_dead(dev));
	devlink_fmsg_bool_pair_put(fmsg, "answers", !vrnic_is_gone(dev));
	devlink_fmsg_u32_pair_put(fmsg, "status", vrnic_read(dev, VRNIC_REG_STATUS));
	devlink_fmsg_u32_pair_put(fmsg, "fatal", vrnic_read(dev, VRNIC_REG_FATAL));
	devlink_fmsg_u32_pair_put(fmsg, "restarts", dev->recoveries);
	vrnic_dump_admin(dev, fmsg);
	vrnic_dump_eqs(dev, fmsg);
}

static int vrnic_reporter_dump(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
			       void *context, struct netlink_ext_ack *extack)
{
	vrnic_dump(devlink_health_reporter_priv(reporter), fmsg);
	return 0;
}

static int vrnic_reporter_diagnose(struct devlink_health_reporter *reporter,
				   struct devlink_fmsg *fmsg, struct netlink_ext_ack *extack)
{
	vrnic_dump(devlink_health_reporter_priv(reporter), fmsg);
	return 0;
}

static int vrnic_reporter_recover(struct devlink_health_reporter *reporter, void *context,
				  struct netlink_ext_ack *extack)
{
	return vrnic_restart(devlink_health_reporter_priv(reporter));
}

static const struct devlink_health_reporter_ops vrnic_reporter_ops = {
	.name = "device",
	.recover = vrnic_reporter_recover,
	.dump = vrnic_reporter_dump,
	.diagnose = vrnic_reporter_diagnose,
};

int vrnic_reporter_create(struct vrnic_dev *dev)
{
	struct devlink_health_reporter *reporter =
		devlink_health_reporter_create(dev->devlink, &vrnic_reporter_ops, 0, dev);

	if (IS_ERR(reporter))
		return PTR_ERR(reporter);
	dev->reporter = reporter;
	return 0;
}

/* Nobody reports any more. */
void vrnic_reporter_destroy(struct vrnic_dev *dev)
{
	devlink_health_reporter_destroy(dev->reporter);
	dev->reporter = NULL;
}

/* Sleeps until the device was started again, if it is to be. */
void vrnic_report_death(struct vrnic_dev *dev)
{
	if (dev->reporter)
		devlink_health_report(dev->reporter, dev->death, dev);
	else /* while it is probed */
		vrnic_restart(dev);
}

void vrnic_report_health(struct vrnic_dev *dev)
{
	if (dev->reporter)
		devlink_health_reporter_state_update(dev->reporter,
						     DEVLINK_HEALTH_REPORTER_STATE_HEALTHY);
}
