// SPDX-License-Identifier: GPL-2.0
#include <linux/ethtool.h>

#include "eth.h"

#define VRNIC_COUNTER_NAME(name) #name,
static const char vrnic_counter_names[][ETH_GSTRING_LEN] = { VRNIC_COUNTERS(VRNIC_COUNTER_NAME) };
static_assert(ARRAY_SIZE(vrnic_counter_names) == VRNIC_NUM_COUNTERS);

static void vrnic_get_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *info)
{
	struct vrnic_eth *eth = netdev_priv(netdev);

	strscpy(info->driver, VRNIC_DRIVER_NAME, sizeof(info->driver));
	strscpy(info->bus_info, pci_name(eth->dev->pdev), sizeof(info->bus_info));
	vrnic_format_version(eth->dev->caps, info->fw_version);
}

static int vrnic_get_sset_count(struct net_device *netdev, int set)
{
	return set == ETH_SS_STATS ? VRNIC_NUM_COUNTERS : -EOPNOTSUPP;
}

static void vrnic_get_strings(struct net_device *netdev, u32 set, u8 *data)
{
	if (set == ETH_SS_STATS)
		memcpy(data, vrnic_counter_names, sizeof(vrnic_counter_names));
}

static void vrnic_get_ethtool_stats(struct net_device *netdev, struct ethtool_stats *stats,
				    u64 *data)
{
	struct vrnic_eth *eth = netdev_priv(netdev);

	if (vrnic_cmd_query_counters(eth->dev, VRNIC_COUNTERS_DEVICE, data))
		memset(data, 0, VRNIC_NUM_COUNTERS * sizeof(*data));
}

static int vrnic_get_link_ksettings(struct net_device *netdev,
				    struct ethtool_link_ksettings *settings)
{
	struct vrnic_eth *eth = netdev_priv(netdev);

	ethtool_link_ksettings_zero_link_mode(settings, supported);
	ethtool_link_ksettings_zero_link_mode(settings, advertising);
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	settings->base.speed = netif_carrier_ok(netdev) ?
				       le32_to_cpu(eth->dev->caps->link_speed) :
				       (u32)SPEED_UNKNOWN;
	settings->base.duplex = netif_carrier_ok(netdev) ? DUPLEX_FULL : DUPLEX_UNKNOWN;
	return 0;
}

const struct ethtool_ops vrnic_ethtool_ops = {
	.get_drvinfo = vrnic_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = vrnic_get_sset_count,
	.get_strings = vrnic_get_strings,
	.get_ethtool_stats = vrnic_get_ethtool_stats,
	.get_link_ksettings = vrnic_get_link_ksettings,
};
