// SPDX-License-Identifier: GPL-2.0
/*
 * Is the device still there, and well? A device that was pulled out of its slot
 * tells nobody, and an event may be lost; so it is looked at now and then: who
 * waits for its completions would wait for ever.
 */
#include "vrnic.h"

#define VRNIC_HEALTH_PERIOD HZ

/* Kills a device that is not well. Any context. */
void vrnic_check_health(struct vrnic_dev *dev)
{
	if (vrnic_is_gone(dev))
		vrnic_kill(dev, "it does not answer");
	else if (vrnic_read(dev, VRNIC_REG_STATUS) & VRNIC_STATUS_FATAL)
		vrnic_kill(dev, "fatal status");
}

static void vrnic_look_again(struct vrnic_dev *dev)
{
	schedule_delayed_work(&dev->health_work, round_jiffies_relative(VRNIC_HEALTH_PERIOD));
}

static void vrnic_look(struct work_struct *work)
{
	struct vrnic_dev *dev = container_of(work, struct vrnic_dev, health_work.work);

	vrnic_check_health(dev);
	if (!vrnic_is_dead(dev))
		vrnic_look_again(dev);
}

void vrnic_health_init(struct vrnic_dev *dev)
{
	INIT_DELAYED_WORK(&dev->health_work, vrnic_look);
}

void vrnic_health_start(struct vrnic_dev *dev)
{
	vrnic_look_again(dev);
}

/* Sleeps until nobody looks any more. */
void vrnic_health_stop(struct vrnic_dev *dev)
{
	cancel_delayed_work_sync(&dev->health_work);
}
