/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vrnic_stream.ko and vrnic_ib.ko share: an open descriptor of a stream.
 * vrnic_ib.ko fills it and ends it, vrnic_stream.ko reads it. The file pins the
 * latter only, which calls nobody: drivers come and go while files stay open.
 */
#ifndef VRNIC_STREAM_FILE_H
#define VRNIC_STREAM_FILE_H

#include <linux/mutex.h>
#include <linux/wait.h>
#include <rdma/ib_verbs.h>

#include "vrnic_stream.h"

struct vrnic_stream;

struct vrnic_stream_file {
	struct ib_uobject uobject; /* first: the core makes and frees us as one */
	struct vrnic_stream *stream; /* vrnic_ib.ko's; NULL: it has ended */
	bool own; /* the stream is this descriptor's, else an object's */
	wait_queue_head_t wait;
	struct mutex reading; /* one read at a time; held while the process's memory is touched */
	struct mutex lock; /* all below; never held then: a device that goes takes it, and waits for no process */
	const void *ring; /* or the counts; NULL: the stream has ended */
	struct vrnic_stream_dbrec *record;
	u32 size; /* of the ring, bytes, a power of two; 0: counts, which are read whole */
	bool capture; /* reads as pcapng, else as struct vrnic_stream_record and data */
	bool over; /* nothing comes any more, as processes wanted; else, without a ring, the device is gone */
	u64 consumer;
	u64 armed;
	u32 taken; /* pcapng: bytes of the next block that were read */
	bool headed; /* pcapng: the header was read */
	u64 lost; /* pcapng: so many were told */
};

extern const struct file_operations vrnic_stream_fops;

/* Before anybody can have the descriptor. */
void vrnic_stream_file_init(struct vrnic_stream_file *file);

#endif /* VRNIC_STREAM_FILE_H */
