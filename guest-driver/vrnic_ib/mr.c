// SPDX-License-Identifier: GPL-2.0
/* Memory regions. */
#include <linux/slab.h>

#include "vrnic_ib.h"

/* The flags that have the same bit on both sides. */
static_assert(IB_ACCESS_LOCAL_WRITE == VRNIC_ACCESS_LOCAL_WRITE);
static_assert(IB_ACCESS_REMOTE_WRITE == VRNIC_ACCESS_REMOTE_WRITE);
static_assert(IB_ACCESS_REMOTE_READ == VRNIC_ACCESS_REMOTE_READ);
static_assert(IB_ACCESS_REMOTE_ATOMIC == VRNIC_ACCESS_REMOTE_ATOMIC);
static_assert(IB_ACCESS_RELAXED_ORDERING == VRNIC_ACCESS_RELAXED_ORDERING);

/* Flags without effect here: hints, and those that a device may ignore. */
#define VRNIC_ACCESS_IGNORED (IB_ACCESS_HUGETLB | (IB_ACCESS_OPTIONAL & ~IB_ACCESS_RELAXED_ORDERING))

struct ib_mr *vrnic_reg_user_mr(struct ib_pd *ibpd, u64 start, u64 length, u64 iova, int access,
				struct ib_udata *udata)
{
	struct vrnic_dev *dev = vrnic_of(ibpd->device);
	struct vrnic_cmd_reg_mr cmd = {};
	struct vrnic_mr *mr;
	int ret;

	if (udata->inlen && !ib_is_udata_cleared(udata, 0, udata->inlen))
		return ERR_PTR(-EINVAL);
	access &= ~VRNIC_ACCESS_IGNORED;
	if (access & ~(int)VRNIC_ACCESS_ALL)
		return ERR_PTR(-EOPNOTSUPP);
	if (!length || length > le64_to_cpu(vrnic_caps(dev)->max_mr_size))
		return ERR_PTR(-EINVAL);

	mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	ret = vrnic_memory_pin(ibpd->device, &mr->memory, start, length, iova, access);
	if (ret)
		goto free_mr;

	cmd.pdn = cpu_to_le32(to_vrnic_pd(ibpd)->pdn);
	cmd.access = cpu_to_le32(access);
	cmd.iova = cpu_to_le64(iova);
	cmd.length = cpu_to_le64(length);
	cmd.pages = mr->memory.list;
	ret = vrnic_cmd_reg_mr(dev, &cmd, &mr->key);
	vrnic_memory_free_tables(ibpd->device, &mr->memory);
	if (ret)
		goto release;

	mr->ib.lkey = mr->key;
	mr->ib.rkey = mr->key;
	return &mr->ib;

release:
	vrnic_memory_release(ibpd->device, &mr->memory);
free_mr:
	kfree(mr);
	return ERR_PTR(ret);
}

int vrnic_dereg_mr(struct ib_mr *ib, struct ib_udata *udata)
{
	struct vrnic_mr *mr = to_vrnic_mr(ib);

	vrnic_cmd_dereg_mr(vrnic_of(ib->device), mr->key);
	vrnic_memory_release(ib->device, &mr->memory);
	kfree(mr);
	return 0;
}
