// SPDX-License-Identifier: GPL-2.0
/* Memory regions. */
#include <linux/slab.h>

#include "vrnic_ib.h"

/* The flags that have the same bit on both sides. */
static_assert(IB_ACCESS_LOCAL_WRITE == VRNIC_ACCESS_LOCAL_WRITE);
static_assert(IB_ACCESS_REMOTE_WRITE == VRNIC_ACCESS_REMOTE_WRITE);
static_assert(IB_ACCESS_REMOTE_READ == VRNIC_ACCESS_REMOTE_READ);
static_assert(IB_ACCESS_REMOTE_ATOMIC == VRNIC_ACCESS_REMOTE_ATOMIC);
static_assert(IB_ACCESS_MW_BIND == VRNIC_ACCESS_MW_BIND);
static_assert(IB_ZERO_BASED == VRNIC_ACCESS_ZERO_BASED);
static_assert(!VRNIC_IB_ACCESS_FLUSH || VRNIC_IB_ACCESS_FLUSH == VRNIC_ACCESS_FLUSH_GLOBAL);
static_assert(IB_ACCESS_RELAXED_ORDERING == VRNIC_ACCESS_RELAXED_ORDERING);

/* Flags without effect here: hints, and those that a device may ignore. */
#define VRNIC_ACCESS_IGNORED (IB_ACCESS_HUGETLB | (IB_ACCESS_OPTIONAL & ~IB_ACCESS_RELAXED_ORDERING))

static bool vrnic_access_known(int access)
{
	return !(access & ~(int)(VRNIC_ACCESS_ALL | VRNIC_ACCESS_IGNORED));
}

/* Where a region begins for those who use its keys. */
static u64 vrnic_mr_iova(u64 iova, int access)
{
	return access & IB_ZERO_BASED ? 0 : iova;
}

int vrnic_mr_check(struct ib_device *ib, u64 length, int access, struct ib_udata *udata)
{
	if (udata->inlen && !ib_is_udata_cleared(udata, 0, udata->inlen))
		return -EINVAL;
	if (!vrnic_access_known(access))
		return -EOPNOTSUPP;
	if (!length || length > le64_to_cpu(vrnic_caps(vrnic_of(ib))->max_mr_size))
		return -EINVAL;
	return 0;
}

/* Without the flags that have no effect. */
u32 vrnic_mr_access(int access)
{
	return access & ~VRNIC_ACCESS_IGNORED;
}

void vrnic_mr_init(struct vrnic_mr *mr, struct ib_device *ib, u64 iova, int access)
{
	mr->ib.device = ib;
	mr->access = vrnic_mr_access(access);
	mr->iova = vrnic_mr_iova(iova, access);
}

/* Of what mr->memory describes. */
int vrnic_mr_register(struct vrnic_mr *mr, struct ib_pd *pd, u64 length)
{
	struct vrnic_cmd_reg_mr cmd = {
		.pdn = cpu_to_le32(to_vrnic_pd(pd)->pdn),
		.access = cpu_to_le32(mr->access),
		.iova = cpu_to_le64(mr->iova),
		.length = cpu_to_le64(length),
		.pages = mr->memory.list,
	};
	int ret;

	ret = vrnic_cmd_reg_mr(vrnic_of(pd->device), &cmd, &mr->key);
	if (ret)
		return ret;
	mr->ib.lkey = mr->key;
	mr->ib.rkey = mr->key;
	return 0;
}

struct ib_mr *vrnic_reg_user_mr(struct ib_pd *ibpd, u64 start, u64 length, u64 iova, int access,
				struct ib_udata *udata)
{
	struct vrnic_mr *mr;
	int ret;

	ret = vrnic_mr_check(ibpd->device, length, access, udata);
	if (ret)
		return ERR_PTR(ret);
	mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	vrnic_mr_init(mr, ibpd->device, iova, access);
	ret = vrnic_memory_pin(ibpd->device, &mr->memory, start, length, iova, access);
	if (ret)
		goto free_mr;
	ret = vrnic_mr_register(mr, ibpd, length);
	vrnic_memory_free_tables(ibpd->device, &mr->memory);
	if (ret)
		goto release;
	return &mr->ib;

release:
	vrnic_memory_release(ibpd->device, &mr->memory);
free_mr:
	kfree(mr);
	return ERR_PTR(ret);
}

static_assert(IB_MR_REREG_TRANS == VRNIC_REREG_TRANSLATION);
static_assert(IB_MR_REREG_PD == VRNIC_REREG_PD);
static_assert(IB_MR_REREG_ACCESS == VRNIC_REREG_ACCESS);

/*
 * In place: the keys stay. What the core notes of the region (PD, address) it
 * changes itself when we return NULL.
 */
struct ib_mr *vrnic_rereg_user_mr(struct ib_mr *ib, int flags, u64 start, u64 length, u64 iova,
				  int access, struct ib_pd *ibpd, struct ib_udata *udata)
{
	struct vrnic_mr *mr = to_vrnic_mr(ib);
	struct vrnic_memory memory = {};
	struct vrnic_cmd_rereg_mr cmd = {};
	int ret;

	if (udata->inlen && !ib_is_udata_cleared(udata, 0, udata->inlen))
		return ERR_PTR(-EINVAL);
	if (flags & ~IB_MR_REREG_SUPPORTED)
		return ERR_PTR(-EOPNOTSUPP);
	if (!(flags & IB_MR_REREG_ACCESS))
		access = mr->access;
	if (!vrnic_access_known(access))
		return ERR_PTR(-EOPNOTSUPP);
	if (!(flags & IB_MR_REREG_TRANS)) {
		if ((access ^ mr->access) & IB_ZERO_BASED)
			return ERR_PTR(-EOPNOTSUPP);
		start = mr->memory.umem->address;
		length = mr->memory.umem->length;
		iova = access & IB_ZERO_BASED ? start : mr->iova;
		/* Pages that were pinned for reading only have to be pinned anew. */
		if (ib_access_writable(access) && !mr->memory.umem->writable)
			flags |= IB_MR_REREG_TRANS;
	}
	/* Of which buffer is not known any more. */
	if (flags & IB_MR_REREG_TRANS && mr->memory.umem->is_dmabuf)
		return ERR_PTR(-EOPNOTSUPP);

	cmd.key = cpu_to_le32(mr->key);
	cmd.mask = cpu_to_le32(flags);
	if (flags & IB_MR_REREG_PD)
		cmd.pdn = cpu_to_le32(to_vrnic_pd(ibpd)->pdn);
	if (flags & IB_MR_REREG_ACCESS)
		cmd.access = cpu_to_le32(vrnic_mr_access(access));
	if (flags & IB_MR_REREG_TRANS) {
		if (!length || length > le64_to_cpu(vrnic_caps(vrnic_of(ib->device))->max_mr_size))
			return ERR_PTR(-EINVAL);
		ret = vrnic_memory_pin(ib->device, &memory, start, length, iova, access);
		if (ret)
			return ERR_PTR(ret);
		cmd.iova = cpu_to_le64(vrnic_mr_iova(iova, access));
		cmd.length = cpu_to_le64(length);
		cmd.pages = memory.list;
	}
	ret = vrnic_cmd_rereg_mr(vrnic_of(ib->device), &cmd);
	if (memory.umem)
		vrnic_memory_free_tables(ib->device, &memory);
	if (ret) {
		if (memory.umem)
			vrnic_memory_release(ib->device, &memory);
		return ERR_PTR(ret);
	}
	if (memory.umem) {
		vrnic_memory_release(ib->device, &mr->memory);
		mr->memory = memory;
		mr->iova = vrnic_mr_iova(iova, access);
	}
	mr->access = vrnic_mr_access(access);
	return NULL;
}

/* Not while memory windows are bound to it (IBTA 11.2.8.6); the core asks again when they are gone. */
int vrnic_dereg_mr(struct ib_mr *ib, struct ib_udata *udata)
{
	struct vrnic_mr *mr = to_vrnic_mr(ib);
	int ret;

	if (mr->memory.umem && mr->memory.umem->is_dmabuf)
		vrnic_dmabuf_forget(mr);
	ret = vrnic_cmd_dereg_mr(vrnic_of(ib->device), mr->key);
	if (ret == -EBUSY)
		return ret;
	vrnic_streams_end(to_vrnic_ib(ib->device), VRNIC_CONTEXT_KEY, mr->key);
	if (mr->memory.umem)
		vrnic_memory_release(ib->device, &mr->memory);
	vrnic_fast_mr_release(ib->device, mr);
	kfree(mr);
	return 0;
}
