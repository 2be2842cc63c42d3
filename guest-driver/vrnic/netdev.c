// SPDX-License-Identifier: GPL-2.0
/* The net_device: open, stop, addresses, MTU, link. */
#include <linux/crc32.h>
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>

#include "eth.h"

/* Which of the 64 bits of the filter a multicast address falls on. */
static u64 vrnic_multicast_bit(const u8 *addr)
{
	return 1ull << (ether_crc_le(ETH_ALEN, addr) >> 26);
}

/* Tells the device all that the stack wants of the port. Sleeps. */
static int vrnic_eth_set_port(struct vrnic_eth *eth)
{
	struct net_device *netdev = eth->netdev;
	struct vrnic_cmd_set_port cmd = {};
	struct netdev_hw_addr *ha;
	u32 flags = 0;
	u64 hash = 0;
	int ret;

	mutex_lock(&eth->port_lock);
	netif_addr_lock_bh(netdev);
	if (eth->port_up)
		flags |= VRNIC_PORT_UP;
	if (netdev->flags & IFF_PROMISC)
		flags |= VRNIC_PORT_PROMISC;
	if (netdev->flags & IFF_ALLMULTI)
		flags |= VRNIC_PORT_ALLMULTI;
	netdev_for_each_mc_addr(ha, netdev)
		hash |= vrnic_multicast_bit(ha->addr);
	ether_addr_copy(cmd.mac, netdev->dev_addr);
	netif_addr_unlock_bh(netdev);

	cmd.flags = cpu_to_le32(flags);
	cmd.mtu = cpu_to_le32(netdev->mtu);
	cmd.multicast_hash = cpu_to_le64(hash);
	ret = vrnic_cmd_set_port(eth->dev, &cmd);
	mutex_unlock(&eth->port_lock);
	if (ret && ret != -EIO)
		netdev_err(netdev, "cannot set the port: %d\n", ret);
	return ret;
}

static void vrnic_eth_rx_mode_work(struct work_struct *work)
{
	struct vrnic_eth *eth = container_of(work, struct vrnic_eth, rx_mode_work);

	vrnic_eth_set_port(eth);
}

/* The address lock: so that no work is scheduled any more once this is false. */
static void vrnic_eth_set_port_up(struct vrnic_eth *eth, bool up)
{
	netif_addr_lock_bh(eth->netdev);
	eth->port_up = up;
	netif_addr_unlock_bh(eth->netdev);
}

/* ---- link ---- */

/* Any context. */
void vrnic_netdev_link(struct vrnic_dev *dev, bool up)
{
	struct net_device *netdev = READ_ONCE(dev->netdev);

	if (!netdev)
		return;
	if (up)
		netif_carrier_on(netdev);
	else
		netif_carrier_off(netdev);
}

void vrnic_netdev_sync_link(struct vrnic_dev *dev)
{
	vrnic_netdev_link(dev, vrnic_read(dev, VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP);
}

/* ---- up and down, under rtnl ---- */

static void vrnic_eth_down(struct vrnic_eth *eth)
{
	if (eth->queues_up)
		napi_disable(&eth->napi); /* first: it would wake the transmit queue */
	netif_tx_disable(eth->netdev);
	vrnic_eth_set_port_up(eth, false);
	cancel_work_sync(&eth->rx_mode_work);
	vrnic_eth_set_port(eth);
	vrnic_eth_queues_down(eth);
}

static int vrnic_eth_up(struct vrnic_eth *eth)
{
	int ret;

	ret = vrnic_eth_queues_up(eth);
	if (ret)
		return ret;
	vrnic_eth_set_port_up(eth, true);
	ret = vrnic_eth_set_port(eth);
	if (ret) {
		vrnic_eth_down(eth);
		return ret;
	}
	netif_start_queue(eth->netdev);
	return 0;
}

static int vrnic_open(struct net_device *netdev)
{
	return vrnic_eth_up(netdev_priv(netdev));
}

static int vrnic_close(struct net_device *netdev)
{
	vrnic_eth_down(netdev_priv(netdev));
	return 0;
}

static void vrnic_set_rx_mode(struct net_device *netdev)
{
	struct vrnic_eth *eth = netdev_priv(netdev);

	/* Called where commands cannot be given. */
	if (eth->port_up)
		schedule_work(&eth->rx_mode_work);
}

static int vrnic_set_mac(struct net_device *netdev, void *addr)
{
	struct vrnic_eth *eth = netdev_priv(netdev);
	int ret;

	ret = eth_prepare_mac_addr_change(netdev, addr);
	if (ret)
		return ret;
	eth_commit_mac_addr_change(netdev, addr);
	return vrnic_eth_set_port(eth);
}

static int vrnic_change_mtu(struct net_device *netdev, int mtu)
{
	struct vrnic_eth *eth = netdev_priv(netdev);
	bool up = eth->queues_up;

	/* Receive buffers are of the MTU's size. */
	if (up)
		vrnic_eth_down(eth);
	WRITE_ONCE(netdev->mtu, mtu);
	if (up)
		return vrnic_eth_up(eth);
	return 0;
}

static void vrnic_get_stats64(struct net_device *netdev, struct rtnl_link_stats64 *stats)
{
	struct vrnic_eth *eth = netdev_priv(netdev);
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&eth->rx_stats.sync);
		stats->rx_packets = u64_stats_read(&eth->rx_stats.packets);
		stats->rx_bytes = u64_stats_read(&eth->rx_stats.bytes);
		stats->rx_dropped = u64_stats_read(&eth->rx_stats.dropped);
		stats->rx_errors = u64_stats_read(&eth->rx_stats.errors);
	} while (u64_stats_fetch_retry(&eth->rx_stats.sync, start));

	do {
		start = u64_stats_fetch_begin(&eth->tx_stats.sync);
		stats->tx_packets = u64_stats_read(&eth->tx_stats.packets);
		stats->tx_bytes = u64_stats_read(&eth->tx_stats.bytes);
		stats->tx_dropped = u64_stats_read(&eth->tx_stats.dropped);
		stats->tx_errors = u64_stats_read(&eth->tx_stats.errors);
	} while (u64_stats_fetch_retry(&eth->tx_stats.sync, start));
}

static const struct net_device_ops vrnic_netdev_ops = {
	.ndo_open = vrnic_open,
	.ndo_stop = vrnic_close,
	.ndo_start_xmit = vrnic_eth_xmit,
	.ndo_set_rx_mode = vrnic_set_rx_mode,
	.ndo_set_mac_address = vrnic_set_mac,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = vrnic_change_mtu,
	.ndo_get_stats64 = vrnic_get_stats64,
	/*
	 * No ndo_tx_timeout: a peer that does not read holds our frames back for
	 * as long as it likes, and that is no fault of the device.
	 */
};

/* ---- with the device's start and stop ---- */

static void vrnic_read_mac(struct vrnic_dev *dev, struct net_device *netdev)
{
	u32 lo = vrnic_read(dev, VRNIC_REG_MAC_LO);
	u32 hi = vrnic_read(dev, VRNIC_REG_MAC_HI);
	u8 mac[ETH_ALEN] = { lo, lo >> 8, lo >> 16, lo >> 24, hi, hi >> 8 };

	if (is_valid_ether_addr(mac)) {
		eth_hw_addr_set(netdev, mac);
		ether_addr_copy(netdev->perm_addr, mac);
	} else {
		vrnic_warn(dev, "no valid MAC address: a random one is taken\n");
		eth_hw_addr_random(netdev);
	}
}

int vrnic_netdev_register(struct vrnic_dev *dev)
{
	struct net_device *netdev;
	struct vrnic_eth *eth;
	int ret;

	netdev = alloc_etherdev(sizeof(*eth));
	if (!netdev)
		return -ENOMEM;
	SET_NETDEV_DEV(netdev, &dev->pdev->dev);
	eth = netdev_priv(netdev);
	eth->dev = dev;
	eth->netdev = netdev;
	mutex_init(&eth->port_lock);
	INIT_WORK(&eth->rx_mode_work, vrnic_eth_rx_mode_work);
	u64_stats_init(&eth->tx_stats.sync);
	u64_stats_init(&eth->rx_stats.sync);

	vrnic_read_mac(dev, netdev);
	netdev->netdev_ops = &vrnic_netdev_ops;
	netdev->ethtool_ops = &vrnic_ethtool_ops;
	netdev->hw_features = NETIF_F_SG;
	netdev->features = NETIF_F_SG | NETIF_F_HIGHDMA;
	netdev->vlan_features = NETIF_F_SG;
	netdev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = min_t(u32, le32_to_cpu(dev->caps->max_mtu), ETH_MAX_MTU);
	netif_carrier_off(netdev);

	ret = register_netdev(netdev);
	if (ret) {
		vrnic_err(dev, "cannot register the net device: %d\n", ret);
		free_netdev(netdev);
		return ret;
	}
	WRITE_ONCE(dev->netdev, netdev);
	vrnic_netdev_sync_link(dev);
	return 0;
}

void vrnic_netdev_unregister(struct vrnic_dev *dev)
{
	struct net_device *netdev = dev->netdev;

	if (!netdev)
		return;
	unregister_netdev(netdev);
	/* An event may just be setting the carrier. */
	WRITE_ONCE(dev->netdev, NULL);
	if (dev->started)
		vrnic_async_sync(dev);
	free_netdev(netdev);
}

/* The device is about to stop: the net_device stays, without queues. */
void vrnic_netdev_detach(struct vrnic_dev *dev)
{
	struct net_device *netdev = dev->netdev;
	struct vrnic_eth *eth = netdev_priv(netdev);

	rtnl_lock();
	netif_device_detach(netdev);
	netif_carrier_off(netdev);
	if (eth->queues_up)
		vrnic_eth_down(eth);
	rtnl_unlock();
}

int vrnic_netdev_attach(struct vrnic_dev *dev)
{
	struct net_device *netdev = dev->netdev;
	int ret = 0;

	rtnl_lock();
	if (netif_running(netdev))
		ret = vrnic_eth_up(netdev_priv(netdev));
	if (!ret) {
		netif_device_attach(netdev);
		vrnic_netdev_sync_link(dev);
	}
	rtnl_unlock();
	return ret;
}
