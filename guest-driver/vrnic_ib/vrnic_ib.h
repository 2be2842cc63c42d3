/* SPDX-License-Identifier: GPL-2.0 */
/* Inside vrnic_ib.ko: the verbs objects. One file per object. */
#ifndef VRNIC_IB_H
#define VRNIC_IB_H

#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

#include "vrnic-abi.h"
#include "vrnic_compat.h"
#include "vrnic_core.h"
#include "vrnic_ib_query.h"

#define VRNIC_PORT 1

struct vrnic_kcq;
struct vrnic_kqp;
struct vrnic_ksrq;

struct vrnic_ib_dev {
	struct ib_device ib;
	struct vrnic_dev *dev;
	struct vrnic_async_client async;
	struct notifier_block netdev_notifier;
	bool port_active; /* what was last told; under rtnl */
	spinlock_t contexts_lock; /* contexts; any context */
	struct list_head contexts; /* struct vrnic_ucontext */
	bool leaving; /* the core takes no event of the device any more */
	struct mutex qp_lock; /* numbers and objects of QPs come and go together */
	struct xarray qps; /* QPN to struct vrnic_qp, for events and completions */
	struct xarray srqs; /* SRQN to struct vrnic_srq, for events and completions */
	spinlock_t kernel_lock; /* kernel_cqs; any context */
	struct list_head kernel_cqs; /* struct vrnic_kcq */
	struct mutex faults_lock; /* faults, and what is in them */
	struct list_head faults; /* struct vrnic_fault */
	struct mutex streams_lock; /* streams, and what they watch; outside of faults_lock */
	struct list_head streams; /* struct vrnic_stream */
	struct xarray stream_files; /* handle to struct vrnic_stream_file, for events */
	struct mutex gid_lock; /* gids */
	struct vrnic_cmd_set_gid *gids; /* what the device has, max_gids of them */
};

struct vrnic_ucontext {
	struct ib_ucontext ib;
	u32 uar;
	struct rdma_user_mmap_entry *doorbell;
	struct rdma_user_mmap_entry *clock; /* NULL: cannot be mapped */
	struct rdma_user_mmap_entry *state_entry;
	struct vrnic_ib_state *state; /* a page of its own */
	struct list_head entry; /* of vrnic_ib_dev.contexts */
};

struct vrnic_pd {
	struct ib_pd ib;
	u32 pdn;
};

/* Pinned memory as the device is told of it; see memory.c. */
struct vrnic_memory {
	struct ib_umem *umem;
	struct vrnic_page_list list;
	unsigned int num_tables;
	struct vrnic_page_table *tables; /* only during the command */
};

/* Of ib_alloc_mr: what it maps is in a list that the device reads with each registration. */
struct vrnic_fast_pages {
	vrnic_le64 *pages; /* NULL: it is another kind of region */
	dma_addr_t dma;
	u32 max_pages;
	u32 num_pages;
};

struct vrnic_mr {
	struct ib_mr ib;
	u32 key;
	int access; /* as the device has it */
	u64 iova;   /* 0 of a zero-based one */
	bool revoked; /* of a dma-buf: it moves without our doing anything */
	struct vrnic_memory memory; /* umem NULL: not of a process */
	struct vrnic_fast_pages fast;
};

struct vrnic_mw {
	struct ib_mw ib;
};

struct vrnic_cq {
	struct ib_cq ib;
	u32 cqn;
	struct mutex resize_lock; /* what resizing changes */
	u8 log_size;
	struct vrnic_memory memory; /* of a process; else kernel */
	struct vrnic_kcq *kernel;   /* kernel.h; NULL: of a process */
	struct vrnic_cq_handler handler;
};

struct vrnic_srq {
	struct ib_srq ib;
	u32 srqn;
	struct mutex resize_lock; /* what resizing changes */
	u32 max_wr;
	u32 max_sge;
	struct vrnic_memory memory; /* of a process; else kernel */
	struct vrnic_ksrq *kernel;  /* kernel.h; NULL: of a process */
};

struct vrnic_xrcd {
	struct ib_xrcd ib;
	u32 xrcdn;
};

struct vrnic_ah {
	struct ib_ah ib;
	struct vrnic_av av;
};

struct vrnic_qp {
	struct ib_qp ib;
	u32 qpn;
	u32 uar;
	enum ib_qp_state state; /* as last asked for */
	u32 dest_qpn;
	struct ib_qp_cap cap;
	enum ib_sig_type sq_sig_type;
	struct vrnic_memory memory; /* of a process, but not of XRC_TGT; else kernel */
	struct vrnic_kqp *kernel;   /* kernel.h; NULL: of a process, or XRC_TGT */
};

#define VRNIC_TO(type, name, ib_type)                                                              \
	static inline struct type *name(struct ib_type *ib)                                        \
	{                                                                                          \
		return container_of(ib, struct type, ib);                                          \
	}
VRNIC_TO(vrnic_ib_dev, to_vrnic_ib, ib_device)
VRNIC_TO(vrnic_ucontext, to_vrnic_ucontext, ib_ucontext)
VRNIC_TO(vrnic_pd, to_vrnic_pd, ib_pd)
VRNIC_TO(vrnic_mr, to_vrnic_mr, ib_mr)
VRNIC_TO(vrnic_cq, to_vrnic_cq, ib_cq)
VRNIC_TO(vrnic_qp, to_vrnic_qp, ib_qp)
VRNIC_TO(vrnic_srq, to_vrnic_srq, ib_srq)
VRNIC_TO(vrnic_xrcd, to_vrnic_xrcd, ib_xrcd)
VRNIC_TO(vrnic_ah, to_vrnic_ah, ib_ah)

static inline struct vrnic_dev *vrnic_of(struct ib_device *ib)
{
	return to_vrnic_ib(ib)->dev;
}

/* A 32-bit limit of the device, for the verbs fields that are int. */
static inline int vrnic_limit(vrnic_le32 value)
{
	return min_t(u32, le32_to_cpu(value), INT_MAX);
}

/* memory.c */
int vrnic_memory_pin(struct ib_device *ib, struct vrnic_memory *memory, u64 start, u64 length,
		     u64 iova, int access);
int vrnic_memory_describe(struct ib_device *ib, struct vrnic_memory *memory, u64 iova);
void vrnic_memory_free_tables(struct ib_device *ib, struct vrnic_memory *memory);
void vrnic_memory_release(struct ib_device *ib, struct vrnic_memory *memory);

/* udata (main.c): size is that of the known structure, whose first field is comp_mask */
int vrnic_get_udata(struct ib_udata *udata, void *req, size_t size);
int vrnic_put_udata(struct ib_udata *udata, const void *resp, size_t size);

/* device.c */
int vrnic_query_device(struct ib_device *ib, struct ib_device_attr *attr, struct ib_udata *udata);
void vrnic_get_fw_string(struct ib_device *ib, char *str);
bool vrnic_offers(struct ib_device *ib, u64 feature, const char *what);
extern const struct attribute_group vrnic_device_group;

/* port.c */
int vrnic_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr);
int vrnic_get_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *immutable);
enum rdma_link_layer vrnic_get_link_layer(struct ib_device *ib, u32 port);
int vrnic_query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey);
bool vrnic_port_is_active(const struct net_device *netdev);
int vrnic_port_watch(struct vrnic_ib_dev *vib);
void vrnic_port_unwatch(struct vrnic_ib_dev *vib);

/* gid.c */
int vrnic_add_gid(const struct ib_gid_attr *attr, void **context);
int vrnic_del_gid(const struct ib_gid_attr *attr, void **context);
void vrnic_gids_new_mac(struct vrnic_ib_dev *vib, const u8 *mac);

/* ucontext.c */
int vrnic_alloc_ucontext(struct ib_ucontext *ib, struct ib_udata *udata);
void vrnic_dealloc_ucontext(struct ib_ucontext *ib);
int vrnic_query_ucontext(struct ib_ucontext *ib, struct uverbs_attr_bundle *attrs);
extern const struct uapi_definition vrnic_uapi[]; /* ours beyond the standard methods */
void vrnic_disassociate_ucontext(struct ib_ucontext *ib);
int vrnic_mmap(struct ib_ucontext *ib, struct vm_area_struct *vma);
void vrnic_mmap_free(struct rdma_user_mmap_entry *entry);
void vrnic_states_end(struct vrnic_ib_dev *vib);

/* objects.c */
extern const struct uapi_definition vrnic_object_uapi[];

/* fault.c */
void vrnic_faults_end(struct vrnic_ib_dev *vib, u32 qpn);

/* stream.c */
void vrnic_streams_end(struct vrnic_ib_dev *vib, u32 type, u32 number); /* VRNIC_CONTEXT_* */
void vrnic_stream_event(struct vrnic_ib_dev *vib, u32 handle);

/* pd.c */
int vrnic_alloc_pd(struct ib_pd *ib, struct ib_udata *udata);
int vrnic_dealloc_pd(struct ib_pd *ib, struct ib_udata *udata);

/* mr.c */
struct ib_mr *vrnic_reg_user_mr(struct ib_pd *ibpd, u64 start, u64 length, u64 iova, int access,
				struct ib_udata *udata);
struct ib_mr *vrnic_rereg_user_mr(struct ib_mr *ib, int flags, u64 start, u64 length, u64 iova,
				  int access, struct ib_pd *ibpd, struct ib_udata *udata);
int vrnic_dereg_mr(struct ib_mr *ib, struct ib_udata *udata);

int vrnic_mr_check(struct ib_device *ib, u64 length, int access, struct ib_udata *udata);
u32 vrnic_mr_access(int access);
void vrnic_mr_init(struct vrnic_mr *mr, struct ib_device *ib, u64 iova, int access);
int vrnic_mr_register(struct vrnic_mr *mr, struct ib_pd *pd, u64 length);

/* fast_mr.c */
struct ib_mr *vrnic_get_dma_mr(struct ib_pd *pd, int access);
struct ib_mr *vrnic_alloc_mr(struct ib_pd *pd, enum ib_mr_type type, u32 max_num_sg);
int vrnic_map_mr_sg(struct ib_mr *ib, struct scatterlist *list, int count, unsigned int *offset);
void vrnic_fast_mr_release(struct ib_device *ib, struct vrnic_mr *mr);

/* dmabuf.c */
struct ib_mr *vrnic_reg_dmabuf_mr(struct ib_pd *pd, u64 offset, u64 length, u64 iova, int fd,
				  int access, struct ib_udata *udata);
void vrnic_dmabuf_forget(struct vrnic_mr *mr);

/* mw.c */
int vrnic_alloc_mw(struct ib_mw *ib, struct ib_udata *udata);
int vrnic_dealloc_mw(struct ib_mw *ib);

/* cq.c */
#ifdef VRNIC_HAVE_CREATE_CQ_ATTRS
int vrnic_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr,
		    struct uverbs_attr_bundle *attrs);
#else
int vrnic_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr, struct ib_udata *udata);
#endif
int vrnic_resize_cq(struct ib_cq *ib, int entries, struct ib_udata *udata);
int vrnic_modify_cq(struct ib_cq *ib, u16 count, u16 period);
int vrnic_destroy_cq(struct ib_cq *ib, struct ib_udata *udata);

/* kernel_cq.c */
int vrnic_poll_cq(struct ib_cq *ib, int num, struct ib_wc *wc);
int vrnic_req_notify_cq(struct ib_cq *ib, enum ib_cq_notify_flags flags);
void vrnic_wake_kernel(struct vrnic_ib_dev *vib);

/* srq.c */
int vrnic_create_srq(struct ib_srq *ib, struct ib_srq_init_attr *init, struct ib_udata *udata);
int vrnic_modify_srq(struct ib_srq *ib, struct ib_srq_attr *attr, enum ib_srq_attr_mask mask,
		     struct ib_udata *udata);
int vrnic_query_srq(struct ib_srq *ib, struct ib_srq_attr *attr);
int vrnic_destroy_srq(struct ib_srq *ib, struct ib_udata *udata);

/* kernel_srq.c */
int vrnic_post_srq_recv(struct ib_srq *ib, const struct ib_recv_wr *wr,
			const struct ib_recv_wr **bad_wr);

/* xrcd.c */
int vrnic_alloc_xrcd(struct ib_xrcd *ib, struct ib_udata *udata);
int vrnic_dealloc_xrcd(struct ib_xrcd *ib, struct ib_udata *udata);

/* ah.c */
int vrnic_fill_av(const struct rdma_ah_attr *ah, u16 udp_sport, struct vrnic_av *av);
void vrnic_read_av(const struct vrnic_av *av, struct rdma_ah_attr *ah);
int vrnic_create_ah(struct ib_ah *ib, struct rdma_ah_init_attr *init, struct ib_udata *udata);
int vrnic_query_ah(struct ib_ah *ib, struct rdma_ah_attr *attr);
int vrnic_destroy_ah(struct ib_ah *ib, u32 flags);

/* mcast.c */
int vrnic_attach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid);
int vrnic_detach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid);

/* qp.c */
bool vrnic_queue_fits(u8 log_size, u8 log_stride, u32 wanted, u32 max, u8 min_stride,
		      u8 max_stride);
int vrnic_create_qp(struct ib_qp *ib, struct ib_qp_init_attr *init, struct ib_udata *udata);
int vrnic_modify_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask, struct ib_udata *udata);
int vrnic_query_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
		   struct ib_qp_init_attr *init);
int vrnic_destroy_qp(struct ib_qp *ib, struct ib_udata *udata);

/* post.c */
int vrnic_post_send(struct ib_qp *ib, const struct ib_send_wr *wr, const struct ib_send_wr **bad_wr);
int vrnic_post_recv(struct ib_qp *ib, const struct ib_recv_wr *wr, const struct ib_recv_wr **bad_wr);

/* events.c */
void vrnic_events_start(struct vrnic_ib_dev *vib);
void vrnic_events_leave(struct vrnic_ib_dev *vib);
void vrnic_events_stop(struct vrnic_ib_dev *vib);

/* counters.c */
struct rdma_hw_stats *vrnic_alloc_hw_port_stats(struct ib_device *ib, u32 port);
int vrnic_get_hw_stats(struct ib_device *ib, struct rdma_hw_stats *stats, u32 port, int index);
#ifdef VRNIC_HAVE_COUNTER_BIND_PORT
int vrnic_counter_bind_qp(struct rdma_counter *counter, struct ib_qp *ib, u32 port);
int vrnic_counter_unbind_qp(struct ib_qp *ib, u32 port);
#else
int vrnic_counter_bind_qp(struct rdma_counter *counter, struct ib_qp *ib);
int vrnic_counter_unbind_qp(struct ib_qp *ib);
#endif
int vrnic_counter_dealloc(struct rdma_counter *counter);
struct rdma_hw_stats *vrnic_counter_alloc_stats(struct rdma_counter *counter);
int vrnic_counter_update_stats(struct rdma_counter *counter);

/* restrack.c */
int vrnic_fill_res_mr(struct sk_buff *msg, struct ib_mr *ib);
int vrnic_fill_res_cq(struct sk_buff *msg, struct ib_cq *ib);
int vrnic_fill_res_qp(struct sk_buff *msg, struct ib_qp *ib);
int vrnic_fill_res_srq(struct sk_buff *msg, struct ib_srq *ib);
int vrnic_fill_res_cm_id(struct sk_buff *msg, struct rdma_cm_id *id);

#endif /* VRNIC_IB_H */
