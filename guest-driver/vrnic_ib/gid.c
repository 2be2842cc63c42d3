// SPDX-License-Identifier: GPL-2.0
/* The GID table: the core keeps it, the device is told of each entry. */
#include <linux/etherdevice.h>
#include <rdma/ib_cache.h>

#include "vrnic_ib.h"

static int vrnic_gid_write(struct vrnic_ib_dev *vib, u32 index, struct vrnic_cmd_set_gid *gid)
{
	int ret;

	gid->index = cpu_to_le32(index);
	mutex_lock(&vib->gid_lock);
	ret = vrnic_cmd_set_gid(vib->dev, gid);
	if (!ret)
		vib->gids[index] = *gid;
	mutex_unlock(&vib->gid_lock);
	return ret;
}

int vrnic_add_gid(const struct ib_gid_attr *attr, void **context)
{
	struct vrnic_cmd_set_gid gid = {};
	u16 vlan = VRNIC_VLAN_NONE;
	int ret;

	ret = rdma_read_gid_l2_fields(attr, &vlan, gid.smac);
	if (ret)
		return ret;
	gid.vlan = cpu_to_le16(vlan);
	memcpy(gid.gid, attr->gid.raw, sizeof(gid.gid));
	return vrnic_gid_write(to_vrnic_ib(attr->device), attr->index, &gid);
}

int vrnic_del_gid(const struct ib_gid_attr *attr, void **context)
{
	struct vrnic_cmd_set_gid gid = { .vlan = cpu_to_le16(VRNIC_VLAN_NONE) };
	int ret;

	ret = vrnic_gid_write(to_vrnic_ib(attr->device), attr->index, &gid);
	/* A dead device has no entry any more. */
	return ret == -EIO ? 0 : ret;
}

/* The core gives new default GIDs a new address, but keeps the others as they are. */
void vrnic_gids_new_mac(struct vrnic_ib_dev *vib, const u8 *mac)
{
	u32 max_gids = le32_to_cpu(vrnic_caps(vib->dev)->max_gids);
	u32 i;

	mutex_lock(&vib->gid_lock);
	for (i = 0; i < max_gids; i++) {
		struct vrnic_cmd_set_gid *gid = &vib->gids[i];

		if (!memchr_inv(gid->gid, 0, sizeof(gid->gid)))
			continue;
		ether_addr_copy(gid->smac, mac);
		if (vrnic_cmd_set_gid(vib->dev, gid))
			break;
	}
	mutex_unlock(&vib->gid_lock);
}
