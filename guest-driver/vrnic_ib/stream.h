/* SPDX-License-Identifier: GPL-2.0 */
/* Streams of what the device does (uapi/vrnic_stream.h), for their objects and descriptors. */
#ifndef VRNIC_IB_STREAM_H
#define VRNIC_IB_STREAM_H

#include "vrnic_ib.h"
#include "vrnic_stream_file.h"

struct vrnic_fault;

struct vrnic_stream {
	struct vrnic_ib_dev *vib;
	struct list_head entry; /* of vrnic_ib_dev.streams */
	struct list_head watches; /* struct vrnic_watch */
	struct vrnic_stream_file *file; /* NULL: it has no descriptor */
	bool of_object; /* lives as long as that, else as its descriptor */
	bool over; /* what it told of is gone */
	u32 kinds; /* of records */
	u32 handle;
	u32 size; /* of the ring, bytes; 0: it only counts */
	void *memory; /* the ring or the counts, and the record behind it */
	struct vrnic_stream_dbrec *record;
	dma_addr_t dma;
	size_t bytes;
	struct rdma_cgroup *cgroup; /* that is charged for its descriptor */
};

/* log_size: of the ring, checked; 0: none. An ERR_PTR if it cannot be. */
struct vrnic_stream *vrnic_stream_begin(struct vrnic_ib_dev *vib, u32 kinds, u32 log_size,
					bool everything);
/* Its descriptor is at its end, its faults with it. over: by the will of a process; else the device goes. */
void vrnic_stream_end(struct vrnic_stream *stream, bool over);
int vrnic_stream_modify(struct vrnic_stream *stream, u32 kinds);
int vrnic_stream_query(struct vrnic_stream *stream, struct vrnic_stream_context *context);

/* file: one that nobody has yet. -EBUSY: there is one. */
int vrnic_stream_attach(struct vrnic_stream *stream, struct vrnic_stream_file *file);
/* It is closed, or taken from its process; a stream without an object ends. */
void vrnic_stream_detach(struct vrnic_stream_file *file);

/* type: VRNIC_CONTEXT_*. fault: or NULL; becomes the stream's if this is done. */
int vrnic_stream_watch(struct vrnic_stream *stream, u32 type, u32 number,
		       struct vrnic_fault *fault);
int vrnic_stream_unwatch(struct vrnic_stream *stream, u32 type, u32 number);

#endif /* VRNIC_IB_STREAM_H */
