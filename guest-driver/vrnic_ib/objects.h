/* SPDX-License-Identifier: GPL-2.0 */
/* Our methods, on objects of ours and on standard ones: a function for each, made known by objects.c. */
#ifndef VRNIC_IB_OBJECTS_H
#define VRNIC_IB_OBJECTS_H

#include "vrnic_ib.h"
#include "vrnic_objects.h"

#define UVERBS_MODULE_NAME vrnic_ib
#include <rdma/uverbs_named_ioctl.h>

#define VRNIC_HANDLER(object, method)                                                              \
	int UVERBS_HANDLER(VRNIC_METHOD_##object##_##method)(struct uverbs_attr_bundle *attrs)

#define VRNIC_DECLARE_HANDLER(object, method) VRNIC_HANDLER(object, method);
#define VRNIC_DECLARE_HANDLERS(object) VRNIC_METHODS_##object(VRNIC_DECLARE_HANDLER)
VRNIC_STANDARD_OBJECTS(VRNIC_DECLARE_HANDLERS)
VRNIC_OBJECTS(VRNIC_DECLARE_HANDLERS)

/* inspect.c: the device's number of what uverbs gives for a handle (struct ib_qp, ...). */
u32 vrnic_number_of_qp(void *qp);
u32 vrnic_number_of_cq(void *cq);
u32 vrnic_number_of_srq(void *srq);
u32 vrnic_number_of_mr(void *mr);

/* fault.c */
int vrnic_fault_cleanup(struct ib_uobject *uobject, enum rdma_remove_reason why,
			struct uverbs_attr_bundle *attrs);

/* stream_objects.c */
void vrnic_stream_cleanup(struct ib_uobject *uobject, enum rdma_remove_reason why);
int vrnic_watcher_cleanup(struct ib_uobject *uobject, enum rdma_remove_reason why,
			  struct uverbs_attr_bundle *attrs);

#endif /* VRNIC_IB_OBJECTS_H */
