/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between kernels, hidden in one place. vrnic_config.h is made by probe.sh. */
#ifndef VRNIC_COMPAT_H
#define VRNIC_COMPAT_H

#include "vrnic_config.h"

#include <linux/mm.h>
#include <rdma/ib_verbs.h>

#ifndef VRNIC_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* What a kernel that does not know them cannot ask for. */
#ifdef VRNIC_HAVE_FLUSH
#define VRNIC_IB_ACCESS_FLUSH IB_ACCESS_FLUSH_GLOBAL
#define VRNIC_IB_DEVICE_FLUSH IB_DEVICE_FLUSH_GLOBAL
#define VRNIC_IB_DEVICE_ATOMIC_WRITE IB_DEVICE_ATOMIC_WRITE
#else
#define VRNIC_IB_ACCESS_FLUSH 0
#define VRNIC_IB_DEVICE_FLUSH 0ull
#define VRNIC_IB_DEVICE_ATOMIC_WRITE 0ull
#endif

#endif /* VRNIC_COMPAT_H */
