// SPDX-License-Identifier: GPL-2.0
/* The RDMA function on the auxiliary bus: registers the ib_device. */
#include <linux/auxiliary_bus.h>
#include <linux/module.h>
#include <net/addrconf.h>

#include "vrnic_ib.h"

/*
 * Reads a request of a provider that may be older or newer than we are. What we
 * do not know must be zero.
 */
int vrnic_get_udata(struct ib_udata *udata, void *req, size_t size)
{
	const u64 *comp_mask = req;
	int ret;

	if (udata->inlen < size)
		return -EINVAL;
	ret = ib_copy_from_udata(req, udata, size);
	if (ret)
		return ret;
	if (*comp_mask)
		return -EOPNOTSUPP;
	if (udata->inlen > size && !ib_is_udata_cleared(udata, size, udata->inlen - size))
		return -EOPNOTSUPP;
	return 0;
}

int vrnic_put_udata(struct ib_udata *udata, const void *resp, size_t size)
{
	return ib_copy_to_udata(udata, (void *)resp, min(size, udata->outlen));
}

#ifdef VRNIC_HAVE_REG_DMABUF_ATTRS
static struct ib_mr *vrnic_reg_user_mr_dmabuf(struct ib_pd *pd, u64 offset, u64 length, u64 iova,
					      int fd, int access, struct uverbs_attr_bundle *attrs)
{
	return vrnic_reg_dmabuf_mr(pd, offset, length, iova, fd, access, &attrs->driver_udata);
}
#else
#define vrnic_reg_user_mr_dmabuf vrnic_reg_dmabuf_mr
#endif

static const struct ib_device_ops vrnic_ops = {
	.owner = THIS_MODULE,
	.driver_id = (enum rdma_driver_id)VRNIC_UVERBS_DRIVER_ID,
	.uverbs_abi_ver = VRNIC_UVERBS_ABI_VERSION,

	.device_group = &vrnic_device_group,
	.query_device = vrnic_query_device,
	.get_dev_fw_str = vrnic_get_fw_string,

	.query_port = vrnic_query_port,
	.get_port_immutable = vrnic_get_port_immutable,
	.get_link_layer = vrnic_get_link_layer,
	.query_pkey = vrnic_query_pkey,
	.add_gid = vrnic_add_gid,
	.del_gid = vrnic_del_gid,

	.alloc_ucontext = vrnic_alloc_ucontext,
	.dealloc_ucontext = vrnic_dealloc_ucontext,
	.query_ucontext = vrnic_query_ucontext,
	.disassociate_ucontext = vrnic_disassociate_ucontext,
	.mmap = vrnic_mmap,
	.mmap_free = vrnic_mmap_free,

	.alloc_pd = vrnic_alloc_pd,
	.dealloc_pd = vrnic_dealloc_pd,
	.alloc_xrcd = vrnic_alloc_xrcd,
	.dealloc_xrcd = vrnic_dealloc_xrcd,
	.create_ah = vrnic_create_ah,
	.create_user_ah = vrnic_create_ah,
	.query_ah = vrnic_query_ah,
	.destroy_ah = vrnic_destroy_ah,
	.reg_user_mr = vrnic_reg_user_mr,
	.reg_user_mr_dmabuf = vrnic_reg_user_mr_dmabuf,
	.rereg_user_mr = vrnic_rereg_user_mr,
	.dereg_mr = vrnic_dereg_mr,
	.alloc_mw = vrnic_alloc_mw,
	.dealloc_mw = vrnic_dealloc_mw,
	.create_cq = vrnic_create_cq,
	.resize_cq = vrnic_resize_cq,
	.modify_cq = vrnic_modify_cq,
	.destroy_cq = vrnic_destroy_cq,
	.create_srq = vrnic_create_srq,
	.modify_srq = vrnic_modify_srq,
	.query_srq = vrnic_query_srq,
	.destroy_srq = vrnic_destroy_srq,
	.create_qp = vrnic_create_qp,
	.modify_qp = vrnic_modify_qp,
	.query_qp = vrnic_query_qp,
	.destroy_qp = vrnic_destroy_qp,
	.post_send = vrnic_post_send,
	.post_recv = vrnic_post_recv,
	.poll_cq = vrnic_poll_cq,
	.req_notify_cq = vrnic_req_notify_cq,
	.post_srq_recv = vrnic_post_srq_recv,
	.alloc_mr = vrnic_alloc_mr,
	.map_mr_sg = vrnic_map_mr_sg,
	.attach_mcast = vrnic_attach_mcast,
	.detach_mcast = vrnic_detach_mcast,

	.alloc_hw_port_stats = vrnic_alloc_hw_port_stats,
	.get_hw_stats = vrnic_get_hw_stats,
	.counter_bind_qp = vrnic_counter_bind_qp,
	.counter_unbind_qp = vrnic_counter_unbind_qp,
	.counter_dealloc = vrnic_counter_dealloc,
	.counter_alloc_stats = vrnic_counter_alloc_stats,
	.counter_update_stats = vrnic_counter_update_stats,
	.fill_res_mr_entry = vrnic_fill_res_mr,
	.fill_res_cq_entry = vrnic_fill_res_cq,
	.fill_res_qp_entry = vrnic_fill_res_qp,
#ifdef VRNIC_HAVE_FILL_RES_SRQ
	.fill_res_srq_entry = vrnic_fill_res_srq,
#endif
	.fill_res_cm_id_entry = vrnic_fill_res_cm_id,

	INIT_RDMA_OBJ_SIZE(ib_ucontext, vrnic_ucontext, ib),
	INIT_RDMA_OBJ_SIZE(ib_pd, vrnic_pd, ib),
	INIT_RDMA_OBJ_SIZE(ib_cq, vrnic_cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, vrnic_qp, ib),
	INIT_RDMA_OBJ_SIZE(ib_srq, vrnic_srq, ib),
	INIT_RDMA_OBJ_SIZE(ib_xrcd, vrnic_xrcd, ib),
	INIT_RDMA_OBJ_SIZE(ib_ah, vrnic_ah, ib),
	INIT_RDMA_OBJ_SIZE(ib_mw, vrnic_mw, ib),
};

/*
 * Without this mandatory call the core marks the device as one without kernel
 * verbs (kverbs_provider), and every kernel consumer steps aside.
 */
static const struct ib_device_ops vrnic_kernel_ops = {
	.get_dma_mr = vrnic_get_dma_mr,
};

static int vrnic_ib_register(struct vrnic_ib_dev *vib)
{
	struct net_device *netdev = vrnic_netdev(vib->dev);
	struct device *parent = vrnic_dma_device(vib->dev);
	struct ib_device *ib = &vib->ib;
	int ret;

	ib->node_type = RDMA_NODE_IB_CA;
	ib->phys_port_cnt = VRNIC_PORT;
	ib->num_comp_vectors = vrnic_num_completion_eqs(vib->dev);
	ib->dev.parent = parent;
	addrconf_addr_eui48((u8 *)&ib->node_guid, netdev->perm_addr);
	strscpy(ib->node_desc, "vrnic", sizeof(ib->node_desc));

	ib_set_device_ops(ib, &vrnic_ops);
	if (vrnic_ib_features(ib) & VRNIC_CAP_KERNEL)
		ib_set_device_ops(ib, &vrnic_kernel_ops);
	else
		dev_info(parent,
			 "no kernel verbs (kverbs=off): no rdma_cm and no kernel consumers, user space only\n");
	ib->driver_def = vrnic_uapi;
	ret = ib_device_set_netdev(ib, netdev, VRNIC_PORT);
	if (ret)
		return ret;
	return ib_register_device(ib, "vrnic%d", parent);
}

static int vrnic_ib_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct vrnic_dev *dev = vrnic_from_aux(adev);
	u32 max_gids = le32_to_cpu(vrnic_caps(dev)->max_gids);
	struct vrnic_ib_dev *vib;
	int ret;

	vib = ib_alloc_device(vrnic_ib_dev, ib);
	if (!vib)
		return -ENOMEM;
	vib->dev = dev;
	mutex_init(&vib->qp_lock);
	xa_init(&vib->qps);
	xa_init(&vib->srqs);
	spin_lock_init(&vib->kernel_lock);
	INIT_LIST_HEAD(&vib->kernel_cqs);
	spin_lock_init(&vib->contexts_lock);
	INIT_LIST_HEAD(&vib->contexts);
	mutex_init(&vib->faults_lock);
	INIT_LIST_HEAD(&vib->faults);
	mutex_init(&vib->streams_lock);
	INIT_LIST_HEAD(&vib->streams);
	xa_init(&vib->stream_files);
	mutex_init(&vib->gid_lock);
	ret = -ENOMEM;
	vib->gids = kvcalloc(max_gids, sizeof(*vib->gids), GFP_KERNEL);
	if (!vib->gids)
		goto dealloc;

	ret = vrnic_ib_register(vib);
	if (ret) {
		dev_err(&adev->dev, "cannot register the RDMA device: %d\n", ret);
		goto free_gids;
	}
	vrnic_events_start(vib);
	ret = vrnic_port_watch(vib);
	if (ret)
		goto unregister;
	auxiliary_set_drvdata(adev, vib);
	return 0;

unregister:
	vrnic_events_leave(vib);
	ib_unregister_device(&vib->ib);
	vrnic_events_stop(vib);
free_gids:
	kvfree(vib->gids);
dealloc:
	ib_dealloc_device(&vib->ib);
	return ret;
}

/* Does not wait for processes: ib_unregister_device takes their objects from them. */
static void vrnic_ib_remove(struct auxiliary_device *adev)
{
	struct vrnic_ib_dev *vib = auxiliary_get_drvdata(adev);

	vrnic_port_unwatch(vib);
	vrnic_events_leave(vib);
	if (vrnic_is_dead(vib->dev)) /* nobody may have said so: unplugged by surprise */
		vrnic_wake_kernel(vib);
	ib_unregister_device(&vib->ib);
	vrnic_events_stop(vib);
	xa_destroy(&vib->qps);
	xa_destroy(&vib->srqs);
	xa_destroy(&vib->stream_files);
	kvfree(vib->gids);
	ib_dealloc_device(&vib->ib);
}

static const struct auxiliary_device_id vrnic_ib_ids[] = {
	{ .name = "vrnic." VRNIC_AUX_RDMA },
	{}
};
MODULE_DEVICE_TABLE(auxiliary, vrnic_ib_ids);

static struct auxiliary_driver vrnic_ib_driver = {
	.name = "rdma",
	.probe = vrnic_ib_probe,
	.remove = vrnic_ib_remove,
	.id_table = vrnic_ib_ids,
};
module_auxiliary_driver(vrnic_ib_driver);

MODULE_DESCRIPTION("vrnic RDMA NIC: RDMA");
MODULE_LICENSE("GPL");
