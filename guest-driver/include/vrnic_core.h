/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vrnic.ko offers to vrnic_ib.ko.
 *
 * A device that is gone, stuck or being shut down is "dead": commands to it
 * fail at once with -EIO, and it can no longer reach memory (bus mastering is
 * off before anyone sees it dead). So after any command that failed that way
 * the memory it spoke of may be unpinned.
 */
#ifndef VRNIC_CORE_H
#define VRNIC_CORE_H

#include <linux/auxiliary_bus.h>
#include <linux/types.h>

#include "vrnic_admin.h"
#include "vrnic_contexts.h"
#include "vrnic_regs.h"
#include "vrnic_ring.h"

struct net_device;
struct vrnic_dev;

/* The auxiliary device "vrnic.rdma" exists while the device runs and offers RDMA. */
#define VRNIC_AUX_RDMA "rdma"

struct vrnic_aux {
	struct auxiliary_device adev;
	struct vrnic_dev *dev;
};

static inline struct vrnic_dev *vrnic_from_aux(struct auxiliary_device *adev)
{
	return container_of(adev, struct vrnic_aux, adev)->dev;
}

/* Constant while the auxiliary device exists. */
const struct vrnic_device_caps *vrnic_caps(const struct vrnic_dev *dev);
struct net_device *vrnic_netdev(const struct vrnic_dev *dev);
struct device *vrnic_dma_device(const struct vrnic_dev *dev);
unsigned int vrnic_num_completion_eqs(const struct vrnic_dev *dev);
bool vrnic_is_dead(const struct vrnic_dev *dev);

/* The version of the device's ABI, which is that of its firmware: "0.1.0". */
#define VRNIC_VERSION_LEN sizeof("65535.255.255")
void vrnic_format_version(const struct vrnic_device_caps *caps, char *text);

/* Physical address of a doorbell slot, page-aligned, and its size in bytes. */
phys_addr_t vrnic_uar_address(const struct vrnic_dev *dev, u32 uar);
size_t vrnic_uar_size(const struct vrnic_dev *dev);

/* Physical address of the page that holds VRNIC_REG_CLOCK and nothing else; 0: pages here are too large. */
phys_addr_t vrnic_clock_address(const struct vrnic_dev *dev);

/* Rings a queue of slot 0, the driver's own. What the device will read was written before. Any context. */
void vrnic_ring_doorbell(struct vrnic_dev *dev, u32 type, u32 number);

/* Describes one contiguous range of memory. */
void vrnic_contiguous(struct vrnic_page_list *list, dma_addr_t addr, size_t size);

/*
 * Declares the device dead, for instance after a destroy that it refused: the
 * object may still use memory that must be given back. Any context.
 */
void vrnic_kill(struct vrnic_dev *dev, const char *why);

/* ---- events ---- */

/*
 * Who hears of a completion queue's events. Embedded in its owner. Both
 * functions are called in hard interrupt context.
 */
struct vrnic_cq_handler {
	void (*complete)(struct vrnic_cq_handler *handler);
	void (*error)(struct vrnic_cq_handler *handler, u32 syndrome);
	u32 cqn;
	u32 eqn;
};

/* Sleeps. After remove returns neither function runs any more. */
int vrnic_cq_handler_add(struct vrnic_dev *dev, struct vrnic_cq_handler *handler);
void vrnic_cq_handler_remove(struct vrnic_dev *dev, struct vrnic_cq_handler *handler);

/* Waits until no handler of asynchronous events is running. */
void vrnic_async_sync(struct vrnic_dev *dev);

/* QP and device events, in hard interrupt context (DEVICE_FATAL: in any context). */
struct vrnic_async_client {
	void (*event)(struct vrnic_async_client *client, u32 type, u32 number, u32 code);
};

void vrnic_async_client_set(struct vrnic_dev *dev, struct vrnic_async_client *client);
void vrnic_async_client_clear(struct vrnic_dev *dev);

/* ---- commands ---- */

/*
 * All sleep and return 0 or a negative errno; -EIO: the device is dead. The
 * structures are those of vrnic_admin.h, little-endian, filled by the caller.
 */
int vrnic_cmd_query_counters(struct vrnic_dev *dev, u32 counters, u64 *values);
int vrnic_cmd_query_object(struct vrnic_dev *dev, u32 type, u32 number, void *context, size_t size);
int vrnic_cmd_call_object(struct vrnic_dev *dev, u32 type, u32 number, u32 operation);
int vrnic_cmd_create_fault(struct vrnic_dev *dev, const struct vrnic_fault_rule *rule, u32 *handle);
int vrnic_cmd_modify_fault(struct vrnic_dev *dev, u32 handle, const struct vrnic_fault_rule *rule);
int vrnic_cmd_destroy_fault(struct vrnic_dev *dev, u32 handle);
int vrnic_cmd_create_stream(struct vrnic_dev *dev, const struct vrnic_cmd_create_stream *cmd,
			    u32 *handle);
int vrnic_cmd_destroy_stream(struct vrnic_dev *dev, u32 handle);
int vrnic_cmd_modify_stream(struct vrnic_dev *dev, const struct vrnic_cmd_modify_stream *cmd);
int vrnic_cmd_watch(struct vrnic_dev *dev, const struct vrnic_cmd_watch *cmd);
int vrnic_cmd_create_counters(struct vrnic_dev *dev, u32 *counters);
int vrnic_cmd_destroy_counters(struct vrnic_dev *dev, u32 counters);
int vrnic_cmd_bind_counters(struct vrnic_dev *dev, u32 qpn, u32 counters); /* 0: to none */
int vrnic_cmd_alloc_uar(struct vrnic_dev *dev, u32 *uar);
int vrnic_cmd_free_uar(struct vrnic_dev *dev, u32 uar);
int vrnic_cmd_alloc_pd(struct vrnic_dev *dev, u32 *pdn);
int vrnic_cmd_dealloc_pd(struct vrnic_dev *dev, u32 pdn);
int vrnic_cmd_set_gid(struct vrnic_dev *dev, const struct vrnic_cmd_set_gid *cmd);
int vrnic_cmd_reg_mr(struct vrnic_dev *dev, const struct vrnic_cmd_reg_mr *cmd, u32 *key);
int vrnic_cmd_rereg_mr(struct vrnic_dev *dev, const struct vrnic_cmd_rereg_mr *cmd);
int vrnic_cmd_dereg_mr(struct vrnic_dev *dev, u32 key); /* -EBUSY: windows are bound to it */
int vrnic_cmd_revoke_mr(struct vrnic_dev *dev, u32 key); /* its memory is free again, or the device dead */
int vrnic_cmd_alloc_dma_mr(struct vrnic_dev *dev, const struct vrnic_cmd_alloc_dma_mr *cmd, u32 *key);
int vrnic_cmd_alloc_fast_mr(struct vrnic_dev *dev, const struct vrnic_cmd_alloc_fast_mr *cmd,
			    u32 *key);
int vrnic_cmd_alloc_mw(struct vrnic_dev *dev, const struct vrnic_cmd_alloc_mw *cmd, u32 *key);
int vrnic_cmd_dealloc_mw(struct vrnic_dev *dev, u32 key);
int vrnic_cmd_create_cq(struct vrnic_dev *dev, const struct vrnic_cmd_create_cq *cmd, u32 *cqn);
int vrnic_cmd_destroy_cq(struct vrnic_dev *dev, u32 cqn);
int vrnic_cmd_resize_cq(struct vrnic_dev *dev, const struct vrnic_cmd_resize_cq *cmd);
int vrnic_cmd_moderate_cq(struct vrnic_dev *dev, const struct vrnic_cmd_moderate_cq *cmd);
int vrnic_cmd_create_qp(struct vrnic_dev *dev, const struct vrnic_cmd_create_qp *cmd, u32 *qpn);
int vrnic_cmd_modify_qp(struct vrnic_dev *dev, const struct vrnic_cmd_modify_qp *cmd);
int vrnic_cmd_query_qp(struct vrnic_dev *dev, u32 qpn, struct vrnic_qp_attr *attr);
int vrnic_cmd_destroy_qp(struct vrnic_dev *dev, u32 qpn);
int vrnic_cmd_attach_mcast(struct vrnic_dev *dev, const struct vrnic_cmd_mcast *cmd);
int vrnic_cmd_detach_mcast(struct vrnic_dev *dev, const struct vrnic_cmd_mcast *cmd);
int vrnic_cmd_alloc_xrcd(struct vrnic_dev *dev, u32 *xrcdn);
int vrnic_cmd_dealloc_xrcd(struct vrnic_dev *dev, u32 xrcdn);
int vrnic_cmd_create_srq(struct vrnic_dev *dev, const struct vrnic_cmd_create_srq *cmd, u32 *srqn);
int vrnic_cmd_modify_srq(struct vrnic_dev *dev, const struct vrnic_cmd_modify_srq *cmd);
int vrnic_cmd_resize_srq(struct vrnic_dev *dev, const struct vrnic_cmd_resize_srq *cmd);
int vrnic_cmd_query_srq(struct vrnic_dev *dev, u32 srqn, struct vrnic_resp_query_srq *resp);
int vrnic_cmd_destroy_srq(struct vrnic_dev *dev, u32 srqn);

#define VRNIC_NUM_COUNTERS (sizeof(struct vrnic_counters) / sizeof(vrnic_le64))

#endif /* VRNIC_CORE_H */
