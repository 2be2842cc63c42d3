// SPDX-License-Identifier: GPL-2.0
/*
 * The file operations of a stream. The device writes records into a ring and
 * raises an event when it was armed; see uapi/vrnic_stream.h. One that lost its
 * interrupt is looked at ten times a second by those who read.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <rdma/uverbs_types.h>

#include <asm/ioctls.h>

#include "pcapng.h"
#include "vrnic-abi.h"
#include "vrnic_contexts.h"
#include "vrnic_stream_file.h"

#define VRNIC_STREAM_CHUNK (64u << 10) /* bytes that one read takes at most */
#define VRNIC_STREAM_LOOK (HZ / 10)

void vrnic_stream_file_init(struct vrnic_stream_file *file)
{
	init_waitqueue_head(&file->wait);
	mutex_init(&file->reading);
	mutex_init(&file->lock);
}
EXPORT_SYMBOL_GPL(vrnic_stream_file_init);

static struct vrnic_stream_file *vrnic_stream_file(struct file *filp)
{
	return container_of(filp->private_data, struct vrnic_stream_file, uobject);
}

/* ---- the ring ---- */

static u64 vrnic_stream_there(const struct vrnic_stream_file *file)
{
	u64 producer = le64_to_cpu(READ_ONCE(file->record->producer));

	dma_rmb(); /* the producer before what it tells of */
	if (!file->size)
		return producer == file->consumer ? 0 : sizeof(struct vrnic_stream_counts);
	return min_t(u64, producer - file->consumer, file->size);
}

static void vrnic_stream_copy(const struct vrnic_stream_file *file, u64 at, void *to, u32 bytes)
{
	u32 place = at & (file->size - 1);
	u32 first = min(bytes, file->size - place);

	memcpy(to, file->ring + place, first);
	memcpy(to + first, file->ring, bytes - first);
}

/* ---- pcapng ---- */

/* The part of a block from its byte *skip on goes to where *to shows, as far as there is room. */
struct vrnic_piece {
	void *to;
	u32 room;
	u32 skip;
};

static u32 vrnic_piece_take(struct vrnic_piece *piece, u32 bytes, u32 *from)
{
	u32 skipped = min(piece->skip, bytes);

	piece->skip -= skipped;
	*from = skipped;
	return min(bytes - skipped, piece->room);
}

static void vrnic_piece_add(struct vrnic_piece *piece, const void *part, u32 bytes)
{
	u32 from, n = vrnic_piece_take(piece, bytes, &from);

	memcpy(piece->to, part + from, n);
	piece->to += n;
	piece->room -= n;
}

static void vrnic_piece_add_ring(struct vrnic_piece *piece, const struct vrnic_stream_file *file,
				 u64 at, u32 bytes)
{
	u32 from, n = vrnic_piece_take(piece, bytes, &from);

	vrnic_stream_copy(file, at + from, piece->to, n);
	piece->to += n;
	piece->room -= n;
}

/* Where one has read to; becomes the file's when the process has it. */
struct vrnic_stream_place {
	u64 consumer;
	u32 taken;
	bool headed;
	u64 lost;
};

/* A block of length bytes, from its byte place->taken on, was put into piece. True: to its end. */
static bool vrnic_stream_block_done(struct vrnic_stream_place *place, u32 length, u32 room_before,
				    const struct vrnic_piece *piece)
{
	place->taken += room_before - piece->room;
	if (place->taken < length)
		return false;
	place->taken = 0;
	return true;
}

static bool vrnic_stream_add_header(struct vrnic_stream_place *place, struct vrnic_piece *piece)
{
	struct vrnic_pcapng_header header;
	u32 room = piece->room;

	vrnic_pcapng_header(&header);
	piece->skip = place->taken;
	vrnic_piece_add(piece, &header, sizeof(header));
	return vrnic_stream_block_done(place, sizeof(header), room, piece);
}

/* 1: to its end, 0: as far as there is room; -EIO: the device wrote nonsense. */
static int vrnic_stream_add_packet(const struct vrnic_stream_file *file,
				   struct vrnic_stream_place *place, struct vrnic_piece *piece,
				   u64 there)
{
	static const u8 nothing[4];
	struct vrnic_stream_record record;
	struct vrnic_pcapng_head head;
	struct vrnic_pcapng_tail tail;
	u32 size, frame, length, room = piece->room;

	if (there < sizeof(record))
		return -EIO;
	vrnic_stream_copy(file, place->consumer, &record, sizeof(record));
	size = le32_to_cpu(record.size);
	frame = le32_to_cpu(record.length);
	if (size > there || size < sizeof(record) || frame > size - sizeof(record))
		return -EIO;
	length = vrnic_pcapng_packet(&record, le64_to_cpu(record.lost) - place->lost, &head, &tail);
	piece->skip = place->taken;
	vrnic_piece_add(piece, &head, sizeof(head));
	vrnic_piece_add_ring(piece, file, place->consumer + sizeof(record), frame);
	vrnic_piece_add(piece, nothing, ALIGN(frame, 4) - frame);
	vrnic_piece_add(piece, &tail, sizeof(tail));
	if (!vrnic_stream_block_done(place, length, room, piece))
		return 0;
	place->consumer += size;
	place->lost = le64_to_cpu(record.lost);
	return 1;
}

static int vrnic_stream_take_capture(const struct vrnic_stream_file *file,
				     struct vrnic_stream_place *place, void *to, u32 room)
{
	struct vrnic_piece piece = { .to = to, .room = room };
	u64 there = vrnic_stream_there(file);
	u64 begin = place->consumer;
	int more;

	if (!place->headed)
		place->headed = vrnic_stream_add_header(place, &piece);
	while (place->headed && piece.room && place->consumer - begin < there) {
		more = vrnic_stream_add_packet(file, place, &piece,
					       there - (place->consumer - begin));
		if (more < 0)
			return more;
	}
	return room - piece.room;
}

/* ---- reading ---- */

static bool vrnic_stream_readable(const struct vrnic_stream_file *file)
{
	return (file->capture && !file->headed) || vrnic_stream_there(file);
}

/* True: a read would not wait. Else the device tells when it would not. */
static bool vrnic_stream_ready(struct vrnic_stream_file *file, bool *over)
{
	bool ready;

	mutex_lock(&file->lock);
	*over = !file->ring || file->over;
	ready = file->ring && vrnic_stream_readable(file);
	if (file->ring && !ready) {
		WRITE_ONCE(file->record->arm, cpu_to_le64(++file->armed));
		mb(); /* armed before we look again; the device writes the producer, then looks whether we are */
		ready = vrnic_stream_readable(file);
	}
	mutex_unlock(&file->lock);
	return ready;
}

static int vrnic_stream_wait(struct vrnic_stream_file *file)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int ret = 0;
	bool over;

	add_wait_queue(&file->wait, &wait);
	while (!vrnic_stream_ready(file, &over) && !over) {
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		wait_woken(&wait, TASK_INTERRUPTIBLE, VRNIC_STREAM_LOOK);
	}
	remove_wait_queue(&file->wait, &wait);
	return ret;
}

/* Counts that change meanwhile are read again. */
static int vrnic_stream_take_counts(const struct vrnic_stream_file *file,
				    struct vrnic_stream_place *place, void *to, u32 room)
{
	if (room < sizeof(struct vrnic_stream_counts))
		return -EINVAL;
	if (!vrnic_stream_there(file))
		return 0;
	place->consumer = le64_to_cpu(READ_ONCE(file->record->producer));
	dma_rmb();
	memcpy(to, file->ring, sizeof(struct vrnic_stream_counts));
	return sizeof(struct vrnic_stream_counts);
}

static int vrnic_stream_take_records(const struct vrnic_stream_file *file,
				     struct vrnic_stream_place *place, void *to, u32 room)
{
	u32 bytes = min_t(u64, vrnic_stream_there(file), room);

	vrnic_stream_copy(file, file->consumer, to, bytes);
	place->consumer += bytes;
	return bytes;
}

/* Returns bytes; 0: it is over. What is taken stays until vrnic_stream_taken. */
static int vrnic_stream_take(struct vrnic_stream_file *file, struct vrnic_stream_place *place,
			     void *to, u32 room)
{
	int ret;

	mutex_lock(&file->lock);
	ret = file->over ? 0 : -EIO; /* the device is gone */
	if (file->ring) {
		*place = (struct vrnic_stream_place){
			.consumer = file->consumer,
			.taken = file->taken,
			.headed = file->headed,
			.lost = file->lost,
		};
		if (!file->size)
			ret = vrnic_stream_take_counts(file, place, to, room);
		else if (file->capture)
			ret = vrnic_stream_take_capture(file, place, to, room);
		else
			ret = vrnic_stream_take_records(file, place, to, room);
		if (!ret && !file->over)
			ret = -EAGAIN;
	}
	mutex_unlock(&file->lock);
	return ret;
}

static void vrnic_stream_taken(struct vrnic_stream_file *file,
			       const struct vrnic_stream_place *place)
{
	mutex_lock(&file->lock);
	file->consumer = place->consumer;
	file->taken = place->taken;
	file->headed = place->headed;
	file->lost = place->lost;
	if (file->ring) {
		mb(); /* all was read before the device may write there */
		WRITE_ONCE(file->record->consumer, cpu_to_le64(file->consumer));
	}
	mutex_unlock(&file->lock);
}

static ssize_t vrnic_stream_read(struct file *filp, char __user *to, size_t count, loff_t *offset)
{
	struct vrnic_stream_file *file = vrnic_stream_file(filp);
	u32 room = min_t(size_t, count, VRNIC_STREAM_CHUNK);
	struct vrnic_stream_place place;
	void *chunk;
	int ret;

	if (!room)
		return 0;
	chunk = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	ret = mutex_lock_interruptible(&file->reading);
	if (ret)
		goto free;
	for (;;) {
		ret = vrnic_stream_take(file, &place, chunk, room);
		if (ret != -EAGAIN || filp->f_flags & O_NONBLOCK)
			break;
		ret = vrnic_stream_wait(file);
		if (ret)
			break;
	}
	if (ret > 0) {
		if (copy_to_user(to, chunk, ret))
			ret = -EFAULT;
		else
			vrnic_stream_taken(file, &place);
	}
	mutex_unlock(&file->reading);
free:
	kvfree(chunk);
	return ret;
}

static __poll_t vrnic_stream_poll(struct file *filp, struct poll_table_struct *table)
{
	struct vrnic_stream_file *file = vrnic_stream_file(filp);
	__poll_t events = 0;
	bool over;

	poll_wait(filp, &file->wait, table);
	if (vrnic_stream_ready(file, &over))
		events |= EPOLLIN | EPOLLRDNORM;
	if (over)
		events |= EPOLLHUP;
	return events;
}

static long vrnic_stream_ioctl(struct file *filp, unsigned int command, unsigned long argument)
{
	struct vrnic_stream_file *file = vrnic_stream_file(filp);
	void __user *to = (void __user *)argument;
	u64 lost = 0;
	int there = 0;

	mutex_lock(&file->lock);
	if (file->ring) {
		lost = le64_to_cpu(READ_ONCE(file->record->lost));
		there = vrnic_stream_there(file);
	}
	mutex_unlock(&file->lock);
	switch (command) {
	case FIONREAD: /* of records */
		return put_user(there, (int __user *)to);
	case VRNIC_IB_STREAM_LOST:
		return copy_to_user(to, &lost, sizeof(lost)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

const struct file_operations vrnic_stream_fops = {
	.owner = THIS_MODULE,
	.release = uverbs_uobject_fd_release, /* the core asks for it */
	.read = vrnic_stream_read,
	.poll = vrnic_stream_poll,
	.unlocked_ioctl = vrnic_stream_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
EXPORT_SYMBOL_GPL(vrnic_stream_fops);

MODULE_DESCRIPTION("vrnic RDMA NIC: descriptors of streams");
MODULE_LICENSE("GPL");
