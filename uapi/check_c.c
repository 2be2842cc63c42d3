/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/* Compiles every ABI header as C: the assertions in them are the test. */
#include "vrnic_admin.h"
#include "vrnic_contexts.h"
#include "vrnic_regs.h"
#include "vrnic_ring.h"
#include "vrnic-abi.h"
#include "vrnic_objects.h"

int vrnic_uapi_c_compiles(void);
int vrnic_uapi_c_compiles(void)
{
	return sizeof(struct vrnic_counters) / sizeof(vrnic_le64);
}
