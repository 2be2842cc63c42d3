/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between kernels, hidden in one place. vrnic_config.h is made by probe.sh. */
#ifndef VRNIC_COMPAT_H
#define VRNIC_COMPAT_H

#include "vrnic_config.h"

#include <linux/mm.h>

#ifndef VRNIC_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

#endif /* VRNIC_COMPAT_H */
