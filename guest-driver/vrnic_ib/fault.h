/* SPDX-License-Identifier: GPL-2.0 */
/* Faults, for the two who have them: objects of their own, and descriptors. */
#ifndef VRNIC_IB_FAULT_H
#define VRNIC_IB_FAULT_H

#include "vrnic_ib.h"

struct vrnic_fault;

/* qp: the rule is about that one alone; NULL: needs CAP_NET_ADMIN. An ERR_PTR if it cannot be. */
struct vrnic_fault *vrnic_fault_make(struct vrnic_ib_dev *vib, const struct vrnic_fault_rule *rule,
				     struct ib_qp *qp);
void vrnic_fault_free(struct vrnic_fault *fault);
u32 vrnic_fault_handle(const struct vrnic_fault *fault);
bool vrnic_fault_is_of(const struct vrnic_fault *fault, u32 qpn);

#endif /* VRNIC_IB_FAULT_H */
