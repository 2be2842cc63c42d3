// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a stream: a descriptor (STREAM), which is opened by the name of an
 * interface or got of another object, or an object (CAPTURE, COUNTERS).
 */
#include <linux/capability.h>

#include "fault.h"
#include "objects.h"
#include "stream.h"

#define VRNIC_STREAM_LOG_SIZE 20 /* of the ring, bytes, where nothing is said */
#define VRNIC_STREAM_LOG_SIZE_MOST 22 /* one piece of memory */

#define VRNIC_ALL_KINDS (BIT(VRNIC_STREAM_KINDS) - 1)
#define VRNIC_EVENTS (VRNIC_ALL_KINDS & ~(BIT(VRNIC_STREAM_FRAME) | BIT(VRNIC_STREAM_FAULT)))

static struct vrnic_stream_file *vrnic_file_of(struct uverbs_attr_bundle *attrs, u16 attr)
{
	return container_of(uverbs_attr_get_uobject(attrs, attr), struct vrnic_stream_file,
			    uobject);
}

static int vrnic_check_log_size(u32 *log_size)
{
	if (!*log_size)
		*log_size = VRNIC_STREAM_LOG_SIZE;
	return *log_size >= VRNIC_STREAM_SIZE_MIN_LOG && *log_size <= VRNIC_STREAM_LOG_SIZE_MOST ?
		       0 :
		       -EINVAL;
}

/* Of all objects, or of those that it is told. */
static int vrnic_check_everything(u32 flags)
{
	if (flags & ~VRNIC_IB_STREAM_EVERYTHING)
		return -EINVAL;
	return flags && !capable(CAP_NET_RAW) ? -EPERM : 0;
}

static int vrnic_answer_stream(struct uverbs_attr_bundle *attrs, u16 attr,
			       struct vrnic_stream *stream)
{
	struct vrnic_stream_context context;
	int ret = vrnic_stream_query(stream, &context);

	return ret ? ret :
		     uverbs_copy_to_struct_or_zero(attrs, attr, &context, sizeof(context));
}

/* ---- what is watched: the same attributes of all that have CALL ---- */

#define VRNIC_SAME(object, name)                                                                   \
	static_assert((int)VRNIC_ATTR_STREAM_CALL_##name == (int)VRNIC_ATTR_##object##_CALL_##name)
#define VRNIC_SAME_CALL(object)                                                                    \
	VRNIC_SAME(object, OPERATION);                                                             \
	VRNIC_SAME(object, QP);                                                                    \
	VRNIC_SAME(object, CQ);                                                                    \
	VRNIC_SAME(object, SRQ);                                                                   \
	VRNIC_SAME(object, MR);                                                                    \
	VRNIC_SAME(object, NUMBER)
VRNIC_SAME_CALL(CAPTURE);
VRNIC_SAME_CALL(COUNTERS);

static const struct {
	u16 attr;
	u32 type;
	u32 (*number)(void *object);
} vrnic_watchable[] = {
	{ VRNIC_ATTR_STREAM_CALL_QP, VRNIC_CONTEXT_QP, vrnic_number_of_qp },
	{ VRNIC_ATTR_STREAM_CALL_CQ, VRNIC_CONTEXT_CQ, vrnic_number_of_cq },
	{ VRNIC_ATTR_STREAM_CALL_SRQ, VRNIC_CONTEXT_SRQ, vrnic_number_of_srq },
	{ VRNIC_ATTR_STREAM_CALL_MR, VRNIC_CONTEXT_KEY, vrnic_number_of_mr },
};

/* Exactly one of the process's own objects, or anybody's by number. */
static int vrnic_named(struct uverbs_attr_bundle *attrs, struct vrnic_ib_number *named)
{
	unsigned int given = 0, i;
	bool known = false;
	int ret;

	for (i = 0; i < ARRAY_SIZE(vrnic_watchable); i++) {
		if (!uverbs_attr_is_valid(attrs, vrnic_watchable[i].attr))
			continue;
		named->type = vrnic_watchable[i].type;
		named->number = vrnic_watchable[i].number(
			uverbs_attr_get_obj(attrs, vrnic_watchable[i].attr));
		given++;
	}
	if (!uverbs_attr_is_valid(attrs, VRNIC_ATTR_STREAM_CALL_NUMBER))
		return given == 1 ? 0 : -EINVAL;
	if (given)
		return -EINVAL;
	ret = uverbs_copy_from(named, attrs, VRNIC_ATTR_STREAM_CALL_NUMBER);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(vrnic_watchable); i++)
		known |= vrnic_watchable[i].type == named->type;
	if (!known)
		return -EINVAL;
	return capable(CAP_NET_RAW) ? 0 : -EPERM;
}

static int vrnic_call_watch(struct uverbs_attr_bundle *attrs, struct vrnic_stream *stream)
{
	struct vrnic_ib_number named;
	u32 operation;
	int ret;

	ret = uverbs_copy_from(&operation, attrs, VRNIC_ATTR_STREAM_CALL_OPERATION);
	if (ret)
		return ret;
	if (operation != VRNIC_STREAM_CALL_WATCH && operation != VRNIC_STREAM_CALL_UNWATCH)
		return -EOPNOTSUPP;
	ret = vrnic_named(attrs, &named);
	if (ret)
		return ret;
	return operation == VRNIC_STREAM_CALL_WATCH ?
		       vrnic_stream_watch(stream, named.type, named.number, NULL) :
		       vrnic_stream_unwatch(stream, named.type, named.number);
}

/* ---- interfaces ---- */

/* Version 1 is the only one of each. */
static const struct vrnic_interface {
	struct vrnic_ib_interface public;
	u32 kinds; /* of records */
} vrnic_interfaces[] = {
	{ { .name = "capture.vrnic", .version = 1 }, BIT(VRNIC_STREAM_FRAME) },
	{ { .name = "events.vrnic", .version = 1 }, VRNIC_EVENTS },
	{ { .name = "faults.vrnic", .version = 1 }, BIT(VRNIC_STREAM_FAULT) },
};

VRNIC_HANDLER(DEVICE, INTERFACES)
{
	struct vrnic_ib_interface list[ARRAY_SIZE(vrnic_interfaces)];
	u32 count = ARRAY_SIZE(list);
	u32 room = 0, i;
	int ret;

	for (i = 0; i < count; i++)
		list[i] = vrnic_interfaces[i].public;
	if (uverbs_attr_is_valid(attrs, VRNIC_ATTR_DEVICE_INTERFACES_LIST))
		room = uverbs_attr_get_len(attrs, VRNIC_ATTR_DEVICE_INTERFACES_LIST) / sizeof(*list);
	room = min(room, count);
	if (room) {
		ret = uverbs_copy_to(attrs, VRNIC_ATTR_DEVICE_INTERFACES_LIST, list,
				     room * sizeof(*list));
		if (ret)
			return ret;
	}
	return uverbs_copy_to_struct_or_zero(attrs, VRNIC_ATTR_DEVICE_INTERFACES_COUNT, &count,
					     sizeof(count));
}

/* -ENOENT: no such name; -ENOPROTOOPT: none so new (EPROTONOSUPPORT is uverbs' own). */
static const struct vrnic_interface *vrnic_interface_find(const struct vrnic_ib_interface *wanted)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vrnic_interfaces); i++) {
		const struct vrnic_interface *one = &vrnic_interfaces[i];

		if (strncmp(one->public.name, wanted->name, sizeof(wanted->name)))
			continue;
		if (!wanted->version || wanted->reserved)
			return ERR_PTR(-EINVAL);
		if (wanted->version > one->public.version)
			return ERR_PTR(-ENOPROTOOPT);
		return one;
	}
	return ERR_PTR(-ENOENT);
}

VRNIC_HANDLER(DEVICE, OPEN)
{
	struct vrnic_stream_file *file = vrnic_file_of(attrs, VRNIC_ATTR_DEVICE_OPEN_FD);
	struct vrnic_ib_dev *vib = to_vrnic_ib(file->uobject.context->device);
	struct vrnic_ib_stream_options options = {};
	const struct vrnic_interface *interface;
	struct vrnic_ib_interface wanted;
	struct vrnic_stream *stream;
	int ret;

	ret = uverbs_copy_from(&wanted, attrs, VRNIC_ATTR_DEVICE_OPEN_INTERFACE);
	if (ret)
		return ret;
	interface = vrnic_interface_find(&wanted);
	if (IS_ERR(interface))
		return PTR_ERR(interface);
	if (uverbs_attr_is_valid(attrs, VRNIC_ATTR_DEVICE_OPEN_OPTIONS)) {
		ret = uverbs_copy_from_or_zero(&options, attrs, VRNIC_ATTR_DEVICE_OPEN_OPTIONS);
		if (ret)
			return ret;
	}
	if (options.flags && interface->kinds == BIT(VRNIC_STREAM_FAULT))
		return -EINVAL; /* of its own rules only */
	ret = vrnic_check_everything(options.flags);
	if (!ret)
		ret = vrnic_check_log_size(&options.log_size);
	if (ret)
		return ret;
	stream = vrnic_stream_begin(vib, interface->kinds, options.log_size, options.flags);
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	ret = vrnic_stream_attach(stream, file);
	if (ret) {
		vrnic_stream_end(stream, false);
		return ret;
	}
	uverbs_finalize_uobj_create(attrs, VRNIC_ATTR_DEVICE_OPEN_FD);
	return 0;
}

/* ---- STREAM ---- */

/* Closed, or the device goes. */
void vrnic_stream_cleanup(struct ib_uobject *uobject, enum rdma_remove_reason why)
{
	vrnic_stream_detach(container_of(uobject, struct vrnic_stream_file, uobject));
}

/* Of an object's it is the object that is asked, which may end at any time. */
static struct vrnic_stream *vrnic_stream_own(struct vrnic_stream_file *file)
{
	return file->own ? file->stream : ERR_PTR(-EOPNOTSUPP);
}

VRNIC_HANDLER(STREAM, QUERY)
{
	struct vrnic_stream *stream =
		vrnic_stream_own(vrnic_file_of(attrs, VRNIC_ATTR_STREAM_QUERY_FD));

	if (IS_ERR(stream))
		return PTR_ERR(stream);
	return vrnic_answer_stream(attrs, VRNIC_ATTR_STREAM_QUERY_CONTEXT, stream);
}

static int vrnic_call_fault(struct uverbs_attr_bundle *attrs, struct vrnic_stream *stream)
{
	struct vrnic_fault_rule rule;
	struct vrnic_fault *fault;
	struct ib_qp *qp = NULL;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(vrnic_watchable); i++)
		if (vrnic_watchable[i].attr != VRNIC_ATTR_STREAM_CALL_QP &&
		    uverbs_attr_is_valid(attrs, vrnic_watchable[i].attr))
			return -EINVAL;
	if (uverbs_attr_is_valid(attrs, VRNIC_ATTR_STREAM_CALL_NUMBER) ||
	    !uverbs_attr_is_valid(attrs, VRNIC_ATTR_STREAM_CALL_RULE))
		return -EINVAL;
	ret = uverbs_copy_from_or_zero(&rule, attrs, VRNIC_ATTR_STREAM_CALL_RULE);
	if (ret)
		return ret;
	if (uverbs_attr_is_valid(attrs, VRNIC_ATTR_STREAM_CALL_QP))
		qp = uverbs_attr_get_obj(attrs, VRNIC_ATTR_STREAM_CALL_QP);
	fault = vrnic_fault_make(stream->vib, &rule, qp);
	if (IS_ERR(fault))
		return PTR_ERR(fault);
	ret = vrnic_stream_watch(stream, VRNIC_CONTEXT_FAULT, vrnic_fault_handle(fault), fault);
	if (ret)
		vrnic_fault_free(fault);
	return ret;
}

VRNIC_HANDLER(STREAM, CALL)
{
	struct vrnic_stream *stream =
		vrnic_stream_own(vrnic_file_of(attrs, VRNIC_ATTR_STREAM_CALL_FD));
	u32 operation;
	int ret;

	if (IS_ERR(stream))
		return PTR_ERR(stream);
	ret = uverbs_copy_from(&operation, attrs, VRNIC_ATTR_STREAM_CALL_OPERATION);
	if (ret)
		return ret;
	if ((operation == VRNIC_STREAM_CALL_FAULT) != (stream->kinds == BIT(VRNIC_STREAM_FAULT)))
		return -EOPNOTSUPP;
	return operation == VRNIC_STREAM_CALL_FAULT ? vrnic_call_fault(attrs, stream) :
						      vrnic_call_watch(attrs, stream);
}

/* ---- descriptors of one object's events ---- */

static int vrnic_events_of(struct uverbs_attr_bundle *attrs, u16 attr, u32 type, u32 number)
{
	struct vrnic_stream_file *file = vrnic_file_of(attrs, attr);
	struct vrnic_stream *stream;
	int ret;

	stream = vrnic_stream_begin(to_vrnic_ib(file->uobject.context->device), VRNIC_EVENTS,
				    VRNIC_STREAM_LOG_SIZE, false);
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	ret = vrnic_stream_attach(stream, file);
	if (!ret)
		ret = vrnic_stream_watch(stream, type, number, NULL);
	if (ret) {
		vrnic_stream_end(stream, false);
		return ret;
	}
	uverbs_finalize_uobj_create(attrs, attr);
	return 0;
}

#define VRNIC_GET_FD_HANDLER(object, name, type)                                                   \
	VRNIC_HANDLER(object, GET_FD)                                                              \
	{                                                                                          \
		void *ib = uverbs_attr_get_obj(attrs, VRNIC_ATTR_##object##_GET_FD_HANDLE);        \
                                                                                                   \
		return vrnic_events_of(attrs, VRNIC_ATTR_##object##_GET_FD_FD,                     \
				       VRNIC_CONTEXT_##type, vrnic_number_of_##name(ib));          \
	}
VRNIC_GET_FD_HANDLER(QP, qp, QP)
VRNIC_GET_FD_HANDLER(CQ, cq, CQ)
VRNIC_GET_FD_HANDLER(SRQ, srq, SRQ)

/* ---- CAPTURE, COUNTERS ---- */

static int vrnic_filter_from(struct uverbs_attr_bundle *attrs, u16 attr,
			     struct vrnic_ib_filter *filter)
{
	int ret = uverbs_copy_from_or_zero(filter, attrs, attr);

	if (ret)
		return ret;
	return filter->reserved || !filter->kinds || filter->kinds & ~VRNIC_ALL_KINDS ||
			       filter->kinds & BIT(VRNIC_STREAM_FAULT) ?
		       -EINVAL :
		       0;
}

static int vrnic_watcher_create(struct uverbs_attr_bundle *attrs, u16 handle, u16 attr, bool counts)
{
	struct ib_uobject *uobject = uverbs_attr_get_uobject(attrs, handle);
	struct vrnic_ib_filter filter;
	struct vrnic_stream *stream;
	int ret;

	ret = vrnic_filter_from(attrs, attr, &filter);
	if (!ret && counts && filter.log_size)
		ret = -EINVAL;
	if (!ret && !counts)
		ret = vrnic_check_log_size(&filter.log_size);
	if (!ret)
		ret = vrnic_check_everything(filter.flags);
	if (ret)
		return ret;
	stream = vrnic_stream_begin(to_vrnic_ib(uobject->context->device), filter.kinds,
				    filter.log_size, filter.flags);
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	stream->of_object = true;
	uobject->object = stream;
	uverbs_finalize_uobj_create(attrs, handle);
	return 0;
}

static int vrnic_watcher_modify(struct uverbs_attr_bundle *attrs, u16 handle, u16 attr)
{
	struct vrnic_stream *stream = uverbs_attr_get_obj(attrs, handle);
	struct vrnic_ib_filter filter;
	int ret;

	ret = vrnic_filter_from(attrs, attr, &filter);
	if (!ret && (filter.log_size || filter.flags))
		ret = -EINVAL;
	return ret ? ret : vrnic_stream_modify(stream, filter.kinds);
}

static int vrnic_watcher_get_fd(struct uverbs_attr_bundle *attrs, u16 handle, u16 fd)
{
	struct vrnic_stream *stream = uverbs_attr_get_obj(attrs, handle);
	int ret = vrnic_stream_attach(stream, vrnic_file_of(attrs, fd));

	if (!ret)
		uverbs_finalize_uobj_create(attrs, fd);
	return ret;
}

/* Destroyed, or its process or the device is gone. */
int vrnic_watcher_cleanup(struct ib_uobject *uobject, enum rdma_remove_reason why,
			  struct uverbs_attr_bundle *attrs)
{
	vrnic_stream_end(uobject->object, why == RDMA_REMOVE_DESTROY);
	return 0;
}

#define VRNIC_WATCHER_HANDLERS(object, counts)                                                     \
	VRNIC_HANDLER(object, CREATE)                                                              \
	{                                                                                          \
		return vrnic_watcher_create(attrs, VRNIC_ATTR_##object##_CREATE_HANDLE,            \
					    VRNIC_ATTR_##object##_CREATE_FILTER, counts);          \
	}                                                                                          \
	VRNIC_HANDLER(object, QUERY)                                                               \
	{                                                                                          \
		return vrnic_answer_stream(                                                        \
			attrs, VRNIC_ATTR_##object##_QUERY_CONTEXT,                                \
			uverbs_attr_get_obj(attrs, VRNIC_ATTR_##object##_QUERY_HANDLE));           \
	}                                                                                          \
	VRNIC_HANDLER(object, MODIFY)                                                              \
	{                                                                                          \
		return vrnic_watcher_modify(attrs, VRNIC_ATTR_##object##_MODIFY_HANDLE,            \
					    VRNIC_ATTR_##object##_MODIFY_FILTER);                  \
	}                                                                                          \
	/* The core has done it: vrnic_watcher_cleanup. */                                         \
	VRNIC_HANDLER(object, DESTROY)                                                             \
	{                                                                                          \
		return 0;                                                                          \
	}                                                                                          \
	VRNIC_HANDLER(object, CALL)                                                                \
	{                                                                                          \
		return vrnic_call_watch(                                                           \
			attrs, uverbs_attr_get_obj(attrs, VRNIC_ATTR_##object##_CALL_HANDLE));     \
	}                                                                                          \
	VRNIC_HANDLER(object, GET_FD)                                                              \
	{                                                                                          \
		return vrnic_watcher_get_fd(attrs, VRNIC_ATTR_##object##_GET_FD_HANDLE,            \
					    VRNIC_ATTR_##object##_GET_FD_FD);                      \
	}
VRNIC_WATCHER_HANDLERS(CAPTURE, false)
VRNIC_WATCHER_HANDLERS(COUNTERS, true)
