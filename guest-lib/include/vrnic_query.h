/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* What a vrnic device has that verbs have no attribute for: asked before anything is created. */
#ifndef VRNIC_QUERY_H
#define VRNIC_QUERY_H

#include <errno.h>
#include <infiniband/verbs.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vrnic-abi.h"

/*
 * The kernel's answer for an open device: limits, and in `features` VRNIC_CAP_* (vrnic_admin.h), with
 * the types of queue pair as VRNIC_CAP_QP_TYPES. 0, or an errno value; EINVAL: the device is none of
 * vrnic. Any thread.
 */
static inline int vrnic_query(struct ibv_context *context, struct vrnic_ib_alloc_ucontext_resp *answer)
{
	struct ib_uverbs_ioctl_hdr header;
	struct ib_uverbs_attr attribute;
	uint64_t command[(sizeof(header) + sizeof(attribute)) / sizeof(uint64_t)];

	memset(&header, 0, sizeof(header));
	memset(&attribute, 0, sizeof(attribute));
	memset(answer, 0, sizeof(*answer));
	header.length = sizeof(command);
	header.object_id = UVERBS_OBJECT_DEVICE;
	header.method_id = UVERBS_METHOD_QUERY_CONTEXT;
	header.num_attrs = 1;
	header.driver_id = VRNIC_UVERBS_DRIVER_ID;
	attribute.attr_id = VRNIC_IB_ATTR_QUERY_CONTEXT_RESP;
	attribute.flags = UVERBS_ATTR_F_MANDATORY;
	attribute.len = sizeof(*answer);
	attribute.data = (uintptr_t)answer;
	memcpy(command, &header, sizeof(header));
	memcpy((char *)command + sizeof(header), &attribute, sizeof(attribute));
	return ioctl(context->cmd_fd, RDMA_VERBS_IOCTL, command) ? errno : 0;
}

#endif /* VRNIC_QUERY_H */
