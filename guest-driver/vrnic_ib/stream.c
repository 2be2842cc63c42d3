// SPDX-License-Identifier: GPL-2.0
#include <linux/cgroup_rdma.h>
#include <linux/dma-mapping.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "fault.h"
#include "stream.h"

struct vrnic_watch {
	struct list_head entry; /* of vrnic_stream.watches */
	u32 type, number; /* VRNIC_CONTEXT_* */
	struct vrnic_fault *fault; /* or NULL; the stream's */
};

/* ---- what a descriptor costs: the core charges for objects, not for these ---- */

static int vrnic_stream_charge(struct vrnic_stream *stream)
{
#ifdef CONFIG_CGROUP_RDMA
	return rdmacg_try_charge(&stream->cgroup, &stream->vib->ib.cg_device,
				 RDMACG_RESOURCE_HCA_OBJECT);
#else
	return 0;
#endif
}

static void vrnic_stream_uncharge(struct vrnic_stream *stream)
{
#ifdef CONFIG_CGROUP_RDMA
	rdmacg_uncharge(stream->cgroup, &stream->vib->ib.cg_device, RDMACG_RESOURCE_HCA_OBJECT);
#endif
}

/* ---- begin and end ---- */

static int vrnic_stream_alloc(struct vrnic_stream *stream)
{
	size_t first = stream->size ? stream->size :
				      ALIGN(sizeof(struct vrnic_stream_counts), 64);

	stream->bytes = PAGE_ALIGN(first + sizeof(struct vrnic_stream_dbrec));
	stream->memory = dma_alloc_coherent(vrnic_dma_device(stream->vib->dev), stream->bytes,
					    &stream->dma, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!stream->memory)
		return -ENOMEM;
	stream->record = stream->memory + first;
	return 0;
}

static void vrnic_stream_free_memory(struct vrnic_stream *stream)
{
	dma_free_coherent(vrnic_dma_device(stream->vib->dev), stream->bytes, stream->memory,
			  stream->dma);
}

static int vrnic_stream_create(struct vrnic_stream *stream, u32 log_size, bool everything)
{
	struct vrnic_cmd_create_stream cmd = {
		.kinds = cpu_to_le32(stream->kinds),
		.log_size = log_size,
		.everything = everything,
		.dbrec_offset = cpu_to_le32((void *)stream->record - stream->memory),
	};

	vrnic_contiguous(&cmd.memory, stream->dma, stream->bytes);
	return vrnic_cmd_create_stream(stream->vib->dev, &cmd, &stream->handle);
}

struct vrnic_stream *vrnic_stream_begin(struct vrnic_ib_dev *vib, u32 kinds, u32 log_size,
					bool everything)
{
	struct vrnic_stream *stream;
	int ret;

	stream = kzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->vib = vib;
	stream->kinds = kinds;
	stream->size = log_size ? 1u << log_size : 0;
	INIT_LIST_HEAD(&stream->watches);
	ret = vrnic_stream_alloc(stream);
	if (ret)
		goto free;
	ret = vrnic_stream_create(stream, log_size, everything);
	if (ret)
		goto free_memory;
	mutex_lock(&vib->streams_lock);
	list_add(&stream->entry, &vib->streams);
	mutex_unlock(&vib->streams_lock);
	return stream;

free_memory:
	vrnic_stream_free_memory(stream);
free:
	kfree(stream);
	return ERR_PTR(ret);
}

static void vrnic_watch_free(struct vrnic_watch *watch)
{
	list_del(&watch->entry);
	if (watch->fault)
		vrnic_fault_free(watch->fault);
	kfree(watch);
}

/* over: by the will of a process; else the device goes. */
static void vrnic_file_let_go(struct vrnic_stream *stream, bool over)
{
	struct vrnic_stream_file *file = stream->file;

	lockdep_assert_held(&stream->vib->streams_lock);
	xa_erase(&stream->vib->stream_files, stream->handle);
	vrnic_async_sync(stream->vib->dev); /* no event handler has the pointer */
	mutex_lock(&file->lock);
	file->ring = NULL;
	file->record = NULL;
	file->over = over;
	mutex_unlock(&file->lock);
	wake_up_interruptible_poll(&file->wait, EPOLLIN | EPOLLHUP);
	file->stream = NULL;
	stream->file = NULL;
	vrnic_stream_uncharge(stream);
}

void vrnic_stream_end(struct vrnic_stream *stream, bool over)
{
	struct vrnic_ib_dev *vib = stream->vib;
	struct vrnic_watch *watch, *next;

	mutex_lock(&vib->streams_lock);
	list_del(&stream->entry);
	if (stream->file)
		vrnic_file_let_go(stream, over);
	vrnic_cmd_destroy_stream(vib->dev, stream->handle);
	list_for_each_entry_safe(watch, next, &stream->watches, entry)
		vrnic_watch_free(watch);
	mutex_unlock(&vib->streams_lock);
	vrnic_stream_free_memory(stream);
	kfree(stream);
}

int vrnic_stream_modify(struct vrnic_stream *stream, u32 kinds)
{
	const struct vrnic_cmd_modify_stream cmd = {
		.stream = cpu_to_le32(stream->handle),
		.kinds = cpu_to_le32(kinds),
	};
	int ret = -EBUSY; /* a descriptor reads as it was made */

	mutex_lock(&stream->vib->streams_lock);
	if (!stream->file)
		ret = vrnic_cmd_modify_stream(stream->vib->dev, &cmd);
	if (!ret)
		stream->kinds = kinds;
	mutex_unlock(&stream->vib->streams_lock);
	return ret;
}

int vrnic_stream_query(struct vrnic_stream *stream, struct vrnic_stream_context *context)
{
	return vrnic_cmd_query_object(stream->vib->dev, VRNIC_CONTEXT_STREAM, stream->handle,
				      context, sizeof(*context));
}

/* ---- descriptors ---- */

int vrnic_stream_attach(struct vrnic_stream *stream, struct vrnic_stream_file *file)
{
	struct vrnic_ib_dev *vib = stream->vib;
	int ret = -EBUSY;

	vrnic_stream_file_init(file);
	mutex_lock(&vib->streams_lock);
	if (stream->file)
		goto unlock;
	ret = vrnic_stream_charge(stream);
	if (ret)
		goto unlock;
	file->size = stream->size;
	file->capture = stream->kinds == BIT(VRNIC_STREAM_FRAME);
	file->consumer = le64_to_cpu(stream->record->consumer);
	file->armed = le64_to_cpu(stream->record->arm);
	file->over = stream->over;
	file->record = stream->record;
	file->ring = stream->memory;
	ret = xa_err(xa_store(&vib->stream_files, stream->handle, file, GFP_KERNEL));
	if (ret) {
		vrnic_stream_uncharge(stream);
		goto unlock;
	}
	file->own = !stream->of_object;
	file->stream = stream;
	stream->file = file;
unlock:
	mutex_unlock(&vib->streams_lock);
	return ret;
}

void vrnic_stream_detach(struct vrnic_stream_file *file)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(file->uobject.context->device);
	struct vrnic_stream *stream;

	mutex_lock(&vib->streams_lock);
	stream = file->stream;
	if (stream && stream->of_object) {
		vrnic_file_let_go(stream, false);
		stream = NULL;
	}
	mutex_unlock(&vib->streams_lock);
	if (stream)
		vrnic_stream_end(stream, false);
}

/* In hard interrupt context: vrnic_file_let_go waits for us. */
void vrnic_stream_event(struct vrnic_ib_dev *vib, u32 handle)
{
	struct vrnic_stream_file *file = xa_load(&vib->stream_files, handle);

	if (file)
		wake_up_interruptible_poll(&file->wait, EPOLLIN);
}

/* ---- what it tells of ---- */

static int vrnic_stream_tell(struct vrnic_stream *stream, const struct vrnic_watch *watch, bool on)
{
	const struct vrnic_cmd_watch cmd = {
		.stream = cpu_to_le32(stream->handle),
		.type = cpu_to_le32(watch->type),
		.number = cpu_to_le32(watch->number),
		.on = on,
	};

	return vrnic_cmd_watch(stream->vib->dev, &cmd);
}

static struct vrnic_watch *vrnic_watch_find(struct vrnic_stream *stream, u32 type, u32 number)
{
	struct vrnic_watch *watch;

	list_for_each_entry(watch, &stream->watches, entry)
		if (watch->type == type && watch->number == number)
			return watch;
	return NULL;
}

int vrnic_stream_watch(struct vrnic_stream *stream, u32 type, u32 number,
		       struct vrnic_fault *fault)
{
	struct vrnic_watch *watch;
	int ret;

	watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	if (!watch)
		return -ENOMEM;
	watch->type = type;
	watch->number = number;
	watch->fault = fault;
	mutex_lock(&stream->vib->streams_lock);
	ret = vrnic_watch_find(stream, type, number) ? -EEXIST : 0;
	if (!ret)
		ret = stream->over ? -ENODEV : vrnic_stream_tell(stream, watch, true);
	if (!ret)
		list_add(&watch->entry, &stream->watches);
	mutex_unlock(&stream->vib->streams_lock);
	if (ret)
		kfree(watch);
	return ret;
}

int vrnic_stream_unwatch(struct vrnic_stream *stream, u32 type, u32 number)
{
	struct vrnic_watch *watch;
	int ret = -ENOENT;

	mutex_lock(&stream->vib->streams_lock);
	watch = vrnic_watch_find(stream, type, number);
	if (watch)
		ret = vrnic_stream_tell(stream, watch, false);
	if (!ret)
		vrnic_watch_free(watch);
	mutex_unlock(&stream->vib->streams_lock);
	return ret;
}

static bool vrnic_watch_ends_with(const struct vrnic_watch *watch, u32 type, u32 number)
{
	bool same = type == VRNIC_CONTEXT_KEY ? watch->number >> 8 == number >> 8 :
						watch->number == number;

	return (watch->type == type && same) ||
	       (watch->fault && type == VRNIC_CONTEXT_QP && vrnic_fault_is_of(watch->fault, number));
}

/* True: it had it. */
static bool vrnic_stream_lose(struct vrnic_stream *stream, u32 type, u32 number)
{
	struct vrnic_watch *watch, *next;
	bool lost = false;

	list_for_each_entry_safe(watch, next, &stream->watches, entry) {
		if (!vrnic_watch_ends_with(watch, type, number))
			continue;
		vrnic_stream_tell(stream, watch, false);
		vrnic_watch_free(watch);
		lost = true;
	}
	return lost;
}

/* A descriptor has what was told until then, and then its end. */
static void vrnic_stream_is_over(struct vrnic_stream *stream)
{
	struct vrnic_stream_file *file = stream->file;

	if (stream->of_object) /* may be told of another object */
		return;
	stream->over = true;
	mutex_lock(&file->lock);
	file->over = true;
	mutex_unlock(&file->lock);
	wake_up_interruptible_poll(&file->wait, EPOLLIN | EPOLLHUP);
}

/* An object ends: its number may be another's soon. */
void vrnic_streams_end(struct vrnic_ib_dev *vib, u32 type, u32 number)
{
	struct vrnic_stream *stream;

	mutex_lock(&vib->streams_lock);
	list_for_each_entry(stream, &vib->streams, entry)
		if (vrnic_stream_lose(stream, type, number) && list_empty(&stream->watches))
			vrnic_stream_is_over(stream);
	mutex_unlock(&vib->streams_lock);
}
