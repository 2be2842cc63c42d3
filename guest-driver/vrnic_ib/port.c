// SPDX-License-Identifier: GPL-2.0
/* The one port: its state is the net_device's. */
#include <linux/netdevice.h>
#include <rdma/ib_addr.h>
#include <rdma/ib_mad.h>

#include "vrnic_ib.h"

/* Speeds a RoCE port can be said to have, slowest first. */
static const struct {
	u32 mbits;
	u16 speed;
	u8 width;
} vrnic_speeds[] = {
	{ 2500, IB_SPEED_SDR, IB_WIDTH_1X },   { 10000, IB_SPEED_QDR, IB_WIDTH_1X },
	{ 25000, IB_SPEED_EDR, IB_WIDTH_1X },  { 40000, IB_SPEED_QDR, IB_WIDTH_4X },
	{ 50000, IB_SPEED_HDR, IB_WIDTH_1X },  { 100000, IB_SPEED_EDR, IB_WIDTH_4X },
	{ 200000, IB_SPEED_HDR, IB_WIDTH_4X }, { 400000, IB_SPEED_NDR, IB_WIDTH_4X },
};

bool vrnic_port_is_active(const struct net_device *netdev)
{
	return netif_running(netdev) && netif_carrier_ok(netdev) && netif_device_present(netdev);
}

static void vrnic_port_speed(u32 mbits, struct ib_port_attr *attr)
{
	unsigned int i;

	attr->active_speed = vrnic_speeds[0].speed;
	attr->active_width = vrnic_speeds[0].width;
	for (i = 0; i < ARRAY_SIZE(vrnic_speeds) && vrnic_speeds[i].mbits <= mbits; i++) {
		attr->active_speed = vrnic_speeds[i].speed;
		attr->active_width = vrnic_speeds[i].width;
	}
}

/* The largest path MTU of at most so many bytes. */
static enum ib_mtu vrnic_path_mtu(u32 bytes)
{
	return ib_mtu_int_to_enum(min_t(u32, bytes, 4096));
}

int vrnic_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	const struct vrnic_device_caps *caps = vrnic_caps(vrnic_of(ib));
	const struct net_device *netdev = vrnic_netdev(vrnic_of(ib));
	bool active = vrnic_port_is_active(netdev);

	attr->state = active ? IB_PORT_ACTIVE : IB_PORT_DOWN;
	attr->phys_state = active ? IB_PORT_PHYS_STATE_LINK_UP : IB_PORT_PHYS_STATE_DISABLED;
	attr->max_mtu = vrnic_path_mtu(le32_to_cpu(caps->max_path_mtu));
	attr->active_mtu = min(attr->max_mtu, iboe_get_mtu(READ_ONCE(netdev->mtu)));
	attr->gid_tbl_len = vrnic_limit(caps->max_gids);
	attr->pkey_tbl_len = 1;
	attr->max_msg_sz = le32_to_cpu(caps->max_msg_size);
	attr->port_cap_flags = IB_PORT_CM_SUP;
	attr->ip_gids = true;
	attr->max_vl_num = 1;
	vrnic_port_speed(le32_to_cpu(caps->link_speed), attr);
	return 0;
}

int vrnic_get_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *immutable)
{
	immutable->core_cap_flags = RDMA_CORE_PORT_IBA_ROCE_UDP_ENCAP;
	immutable->max_mad_size = IB_MGMT_MAD_SIZE;
	immutable->gid_tbl_len = vrnic_limit(vrnic_caps(vrnic_of(ib))->max_gids);
	immutable->pkey_tbl_len = 1;
	return 0;
}

enum rdma_link_layer vrnic_get_link_layer(struct ib_device *ib, u32 port)
{
	return IB_LINK_LAYER_ETHERNET;
}

/* RoCE has the default partition only: IBTA annex A17. */
int vrnic_query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey)
{
	if (index)
		return -EINVAL;
	*pkey = IB_DEFAULT_PKEY_FULL;
	return 0;
}

/* ---- changes ---- */

static void vrnic_port_changed(struct vrnic_ib_dev *vib, bool active)
{
	struct ib_event event = {
		.device = &vib->ib,
		.element.port_num = VRNIC_PORT,
		.event = active ? IB_EVENT_PORT_ACTIVE : IB_EVENT_PORT_ERR,
	};

	if (active == vib->port_active)
		return;
	vib->port_active = active;
	ib_dispatch_event(&event);
}

static int vrnic_netdev_event(struct notifier_block *notifier, unsigned long event, void *data)
{
	struct vrnic_ib_dev *vib = container_of(notifier, struct vrnic_ib_dev, netdev_notifier);
	struct net_device *netdev = netdev_notifier_info_to_dev(data);

	if (netdev != vrnic_netdev(vib->dev))
		return NOTIFY_DONE;

	switch (event) {
	case NETDEV_UP:
	case NETDEV_CHANGE:
	case NETDEV_DOWN:
		vrnic_port_changed(vib, vrnic_port_is_active(netdev));
		break;
	case NETDEV_CHANGEADDR:
		vrnic_gids_new_mac(vib, netdev->dev_addr);
		break;
	}
	return NOTIFY_DONE;
}

int vrnic_port_watch(struct vrnic_ib_dev *vib)
{
	vib->port_active = vrnic_port_is_active(vrnic_netdev(vib->dev));
	vib->netdev_notifier.notifier_call = vrnic_netdev_event;
	return register_netdevice_notifier(&vib->netdev_notifier);
}

void vrnic_port_unwatch(struct vrnic_ib_dev *vib)
{
	unregister_netdevice_notifier(&vib->netdev_notifier);
}
