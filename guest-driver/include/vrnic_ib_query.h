/* SPDX-License-Identifier: GPL-2.0 */
/* What kernel code may ask vrnic_ib.ko before it makes anything. */
#ifndef VRNIC_IB_QUERY_H
#define VRNIC_IB_QUERY_H

#include <rdma/ib_verbs.h>

#include "vrnic_admin.h"

/*
 * VRNIC_CAP_* of the device; 0 for a device of another driver. VRNIC_CAP_QP_TYPES is the mask of
 * queue pair types. Never changes while the device is registered; may be called in any context.
 */
u64 vrnic_ib_features(struct ib_device *ib);

#endif /* VRNIC_IB_QUERY_H */
