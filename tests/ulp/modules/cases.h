/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KERNEL_VERBS_CASES_H
#define KERNEL_VERBS_CASES_H

#include <rdma/ib_verbs.h>

/* Prints a result in KTAP for each case. */
void cases_run(struct ib_device *ib, int gid_index);

/* holder.c: requests that nobody answers, to see that they end with the device. */
int holder_start(struct ib_device *ib, int gid_index);
void holder_stop(void);

#endif /* KERNEL_VERBS_CASES_H */
