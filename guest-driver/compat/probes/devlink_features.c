// SPDX-License-Identifier: GPL-2.0
/* A devlink says that it can be reloaded (until 6.3). */
#include <net/devlink.h>

void probe(struct devlink *devlink);
void probe(struct devlink *devlink)
{
	devlink_set_features(devlink, DEVLINK_F_RELOAD);
}
