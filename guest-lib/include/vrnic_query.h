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
	struct {
		struct ib_uverbs_ioctl_hdr header;
		struct ib_uverbs_attr answer;
	} command;

	memset(&command, 0, sizeof(command));
	memset(answer, 0, sizeof(*answer));
	command.header.length = sizeof(command);
	command.header.object_id = UVERBS_OBJECT_DEVICE;
	command.header.method_id = UVERBS_METHOD_QUERY_CONTEXT;
	command.header.num_attrs = 1;
	command.header.driver_id = VRNIC_UVERBS_DRIVER_ID;
	command.answer.attr_id = VRNIC_IB_ATTR_QUERY_CONTEXT_RESP;
	command.answer.flags = UVERBS_ATTR_F_MANDATORY;
	command.answer.len = sizeof(*answer);
	command.answer.data = (uintptr_t)answer;
	return ioctl(context->cmd_fd, RDMA_VERBS_IOCTL, &command) ? errno : 0;
}

#endif /* VRNIC_QUERY_H */
