// SPDX-License-Identifier: GPL-2.0
/* What the device says of itself. */
#include <linux/pci.h>

#include "vrnic_ib.h"

#define VRNIC_CLOCK_KHZ 1000000 /* VRNIC_REG_CLOCK counts ns */

int vrnic_query_device(struct ib_device *ib, struct ib_device_attr *attr, struct ib_udata *udata)
{
	const struct vrnic_device_caps *caps = vrnic_caps(vrnic_of(ib));
	u64 features = le64_to_cpu(caps->features);
	u32 fw = le32_to_cpu(caps->fw_version);

	if (udata->inlen && !ib_is_udata_cleared(udata, 0, udata->inlen))
		return -EINVAL;

	attr->fw_ver = (u64)(fw >> 16) << 32 | (u64)(fw >> 8 & 0xff) << 16 | (fw & 0xff);
	attr->sys_image_guid = ib->node_guid;
	attr->vendor_id = VRNIC_PCI_VENDOR_ID;
	attr->vendor_part_id = VRNIC_PCI_DEVICE_ID;
	attr->hw_ver = VRNIC_PCI_REVISION;

	attr->max_mr_size = le64_to_cpu(caps->max_mr_size);
	attr->page_size_cap = le64_to_cpu(caps->page_size_mask);
	attr->max_qp = vrnic_limit(caps->max_qps);
	attr->max_qp_wr = min(vrnic_limit(caps->max_sq_entries), vrnic_limit(caps->max_rq_entries));
	attr->device_cap_flags = IB_DEVICE_CURR_QP_STATE_MOD | IB_DEVICE_PORT_ACTIVE_EVENT |
				 IB_DEVICE_SYS_IMAGE_GUID | IB_DEVICE_RC_RNR_NAK_GEN;
	if (features & VRNIC_CAP_WINDOWS) {
		attr->device_cap_flags |= IB_DEVICE_MEM_WINDOW | IB_DEVICE_MEM_WINDOW_TYPE_2B;
		attr->max_mw = vrnic_limit(caps->max_mrs);
	}
	if (features & VRNIC_CAP_FAST_REG) {
		attr->device_cap_flags |= IB_DEVICE_MEM_MGT_EXTENSIONS;
		attr->max_fast_reg_page_list_len = le32_to_cpu(caps->max_fast_pages);
	}
	if (features & VRNIC_CAP_ATOMIC_WRITE)
		attr->device_cap_flags |= VRNIC_IB_DEVICE_ATOMIC_WRITE;
	if (features & VRNIC_CAP_FLUSH_GLOBAL)
		attr->device_cap_flags |= VRNIC_IB_DEVICE_FLUSH;
	if (features & VRNIC_CAP_XRC)
		attr->device_cap_flags |= IB_DEVICE_XRC;
	if (features & VRNIC_CAP_SRQ) {
		attr->max_srq = vrnic_limit(caps->max_srqs);
		attr->max_srq_wr = vrnic_limit(caps->max_srq_entries);
		attr->max_srq_sge = vrnic_limit(caps->max_recv_sge);
	}
	if (features & VRNIC_CAP_SRQ_RESIZE)
		attr->device_cap_flags |= IB_DEVICE_SRQ_RESIZE;
	if (features & VRNIC_CAP_MCAST) {
		attr->kernel_cap_flags |= IBK_BLOCK_MULTICAST_LOOPBACK;
		attr->max_mcast_grp = vrnic_limit(caps->max_mcast_groups);
		attr->max_mcast_qp_attach = vrnic_limit(caps->max_mcast_qps);
		attr->max_total_mcast_qp_attach = attr->max_mcast_grp * attr->max_mcast_qp_attach;
	}
	if (features & VRNIC_CAP_UD)
		attr->max_ah = INT_MAX; /* no object of the device */
	attr->max_send_sge = vrnic_limit(caps->max_send_sge);
	attr->max_recv_sge = vrnic_limit(caps->max_recv_sge);
	attr->max_sge_rd = vrnic_limit(caps->max_send_sge);
	attr->max_cq = vrnic_limit(caps->max_cqs);
	attr->max_cqe = vrnic_limit(caps->max_cq_entries);
	attr->max_mr = vrnic_limit(caps->max_mrs);
	attr->max_pd = vrnic_limit(caps->max_pds);
	attr->max_qp_rd_atom = vrnic_limit(caps->max_rd_atomic);
	attr->max_qp_init_rd_atom = vrnic_limit(caps->max_rd_atomic);
	attr->max_res_rd_atom = min_t(u64, INT_MAX,
				      (u64)attr->max_qp * (u32)attr->max_qp_rd_atom);
	attr->atomic_cap = features & VRNIC_CAP_ATOMIC ? IB_ATOMIC_HCA : IB_ATOMIC_NONE;
	attr->masked_atomic_cap = IB_ATOMIC_NONE;
	attr->max_pkeys = 1;
	if (features & VRNIC_CAP_CQ_MODERATION) {
		attr->cq_caps.max_cq_moderation_count =
			min_t(u32, U16_MAX, le32_to_cpu(caps->max_cq_count));
		attr->cq_caps.max_cq_moderation_period =
			min_t(u32, U16_MAX, le32_to_cpu(caps->max_cq_period));
	}
	attr->timestamp_mask = U64_MAX;
	attr->hca_core_clock = VRNIC_CLOCK_KHZ;
	attr->local_ca_ack_delay = le32_to_cpu(caps->local_ack_delay) & 0x1f;
	return 0;
}

u64 vrnic_ib_features(struct ib_device *ib)
{
	if (ib->ops.create_qp != vrnic_create_qp)
		return 0;
	return le64_to_cpu(vrnic_caps(vrnic_of(ib))->features);
}
EXPORT_SYMBOL_GPL(vrnic_ib_features);

/* Whether the device has it; says so when it has not: `what` is in the plural. */
bool vrnic_offers(struct ib_device *ib, u64 feature, const char *what)
{
	if (vrnic_ib_features(ib) & feature)
		return true;
	ibdev_warn_ratelimited(ib, "%s are not offered by this device\n", what);
	return false;
}

void vrnic_get_fw_string(struct ib_device *ib, char *str)
{
	vrnic_format_version(vrnic_caps(vrnic_of(ib)), str);
}

/* ---- sysfs ---- */

static ssize_t hw_rev_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", VRNIC_PCI_REVISION);
}
static DEVICE_ATTR_RO(hw_rev);

static ssize_t hca_type_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "vrnic\n");
}
static DEVICE_ATTR_RO(hca_type);

static ssize_t board_id_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct vrnic_ib_dev *vib = rdma_device_to_drv_device(device, struct vrnic_ib_dev, ib);
	struct pci_dev *pdev = to_pci_dev(vrnic_dma_device(vib->dev));

	return sysfs_emit(buf, "vrnic-%04x%04x\n", pdev->subsystem_vendor, pdev->subsystem_device);
}
static DEVICE_ATTR_RO(board_id);

static struct attribute *vrnic_device_attributes[] = {
	&dev_attr_hw_rev.attr,
	&dev_attr_hca_type.attr,
	&dev_attr_board_id.attr,
	NULL,
};

const struct attribute_group vrnic_device_group = { .attrs = vrnic_device_attributes };
