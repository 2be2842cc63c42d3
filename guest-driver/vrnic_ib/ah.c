// SPDX-License-Identifier: GPL-2.0
/*
 * Address vectors, of connections and of address handles. The device has no
 * object for a handle: its address vector goes into each send entry.
 */
#include <linux/etherdevice.h>

#include "vrnic_ib.h"

/* The core has resolved the destination's MAC address. udp_sport 0: the device chooses. */
int vrnic_fill_av(const struct rdma_ah_attr *ah, u16 udp_sport, struct vrnic_av *av)
{
	const struct ib_global_route *grh = rdma_ah_read_grh(ah);

	if (ah->type != RDMA_AH_ATTR_TYPE_ROCE || !(rdma_ah_get_ah_flags(ah) & IB_AH_GRH))
		return -EINVAL;
	memcpy(av->dgid, grh->dgid.raw, sizeof(av->dgid));
	av->flow_label = cpu_to_le32(grh->flow_label & 0xfffff);
	ether_addr_copy(av->dmac, ah->roce.dmac);
	av->hop_limit = grh->hop_limit;
	av->traffic_class = grh->traffic_class;
	av->sgid_index = grh->sgid_index;
	av->sl = rdma_ah_get_sl(ah);
	av->udp_sport = cpu_to_le16(udp_sport);
	return 0;
}

void vrnic_read_av(const struct vrnic_av *av, struct rdma_ah_attr *ah)
{
	union ib_gid dgid;

	memcpy(dgid.raw, av->dgid, sizeof(dgid.raw));
	ah->type = RDMA_AH_ATTR_TYPE_ROCE;
	rdma_ah_set_grh(ah, &dgid, le32_to_cpu(av->flow_label), av->sgid_index, av->hop_limit,
			av->traffic_class);
	rdma_ah_set_sl(ah, av->sl);
	rdma_ah_set_port_num(ah, VRNIC_PORT);
	ether_addr_copy(ah->roce.dmac, av->dmac);
}

/* Does not sleep. */
int vrnic_create_ah(struct ib_ah *ib, struct rdma_ah_init_attr *init, struct ib_udata *udata)
{
	u32 flow_label = rdma_ah_read_grh(init->ah_attr)->flow_label & 0xfffff;
	struct vrnic_ah *ah = to_vrnic_ah(ib);
	struct vrnic_ib_create_ah_resp resp = {};
	int ret;

	/* Without a flow label the ports spread by the numbers of the two QPs, which the device knows. */
	ret = vrnic_fill_av(init->ah_attr, flow_label ? rdma_flow_label_to_udp_sport(flow_label) : 0,
			    &ah->av);
	if (ret || !udata)
		return ret;
	if (udata->inlen && !ib_is_udata_cleared(udata, 0, udata->inlen))
		return -EINVAL;
	resp.av = ah->av;
	return vrnic_put_udata(udata, &resp, sizeof(resp));
}

int vrnic_query_ah(struct ib_ah *ib, struct rdma_ah_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	vrnic_read_av(&to_vrnic_ah(ib)->av, attr);
	return 0;
}

int vrnic_destroy_ah(struct ib_ah *ib, u32 flags)
{
	return 0;
}
