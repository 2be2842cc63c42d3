// SPDX-License-Identifier: GPL-2.0
/* Multicast groups of UD QPs. The device takes a group's RoCE packets from the wire by itself. */
#include "vrnic_ib.h"

static void vrnic_fill_mcast(const struct ib_qp *ib, const union ib_gid *gid,
			     struct vrnic_cmd_mcast *cmd)
{
	cmd->qpn = cpu_to_le32(ib->qp_num);
	memcpy(cmd->gid, gid->raw, sizeof(cmd->gid));
}

int vrnic_attach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	struct vrnic_cmd_mcast cmd = {};

	vrnic_fill_mcast(ib, gid, &cmd);
	return vrnic_cmd_attach_mcast(vrnic_of(ib->device), &cmd);
}

int vrnic_detach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	struct vrnic_cmd_mcast cmd = {};
	int ret;

	vrnic_fill_mcast(ib, gid, &cmd);
	ret = vrnic_cmd_detach_mcast(vrnic_of(ib->device), &cmd);
	/* A dead device sends nothing to a group any more. */
	return ret == -EIO ? 0 : ret;
}
