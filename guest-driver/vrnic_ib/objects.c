// SPDX-License-Identifier: GPL-2.0
/* The kernel's definitions of our methods and objects, made from the list in vrnic_objects.h, and what tells of them. */
#include "objects.h"
#include "vrnic_stream_file.h"

/* ---- attributes ---- */

#define VRNIC_DEF_NEW(id, type, size, presence)                                                    \
	UVERBS_ATTR_IDR(id, type, UVERBS_ACCESS_NEW, presence)
#define VRNIC_DEF_READ(id, type, size, presence)                                                   \
	UVERBS_ATTR_IDR(id, type, UVERBS_ACCESS_READ, presence)
#define VRNIC_DEF_WRITE(id, type, size, presence)                                                  \
	UVERBS_ATTR_IDR(id, type, UVERBS_ACCESS_WRITE, presence)
#define VRNIC_DEF_DESTROY(id, type, size, presence)                                                \
	UVERBS_ATTR_IDR(id, type, UVERBS_ACCESS_DESTROY, presence)
#define VRNIC_DEF_FD_NEW(id, type, size, presence)                                                 \
	UVERBS_ATTR_FD(id, type, UVERBS_ACCESS_NEW, presence)
#define VRNIC_DEF_FD(id, type, size, presence)                                                     \
	UVERBS_ATTR_FD(id, type, UVERBS_ACCESS_READ, presence)
/* As UVERBS_ATTR_STRUCT, with the size of the first version instead of its last field. */
#define VRNIC_DEF_STRUCT(type, size) .zero_trailing = 1, UVERBS_ATTR_SIZE(size, sizeof(type))
#define VRNIC_DEF_IN(id, type, size, presence)                                                     \
	UVERBS_ATTR_PTR_IN(id, VRNIC_DEF_STRUCT(type, size), presence)
#define VRNIC_DEF_OUT(id, type, size, presence)                                                    \
	UVERBS_ATTR_PTR_OUT(id, VRNIC_DEF_STRUCT(type, size), presence)
#define VRNIC_DEF_LIST(id, type, size, presence)                                                   \
	UVERBS_ATTR_PTR_OUT(id, UVERBS_ATTR_MIN_SIZE(size), presence)

#define VRNIC_DEF_ATTR(object_method, name, kind, type, size, presence)                            \
	VRNIC_DEF_##kind(VRNIC_ATTR_##object_method##_##name, type, size, UA_##presence),

/* ---- methods ---- */

#define VRNIC_DEF_METHOD(object, method)                                                           \
	DECLARE_UVERBS_NAMED_METHOD(VRNIC_METHOD_##object##_##method,                              \
				    VRNIC_ATTRS_##object##_##method(VRNIC_DEF_ATTR));
#define VRNIC_DEF_METHODS(object) VRNIC_METHODS_##object(VRNIC_DEF_METHOD)
VRNIC_STANDARD_OBJECTS(VRNIC_DEF_METHODS)
VRNIC_OBJECTS(VRNIC_DEF_METHODS)

#define VRNIC_REF_METHOD(object, method) &UVERBS_METHOD(VRNIC_METHOD_##object##_##method),
#define VRNIC_ADD_METHODS(object)                                                                  \
	ADD_UVERBS_METHODS(vrnic_methods_of_##object, UVERBS_OBJECT_##object,                      \
			   VRNIC_METHODS_##object(VRNIC_REF_METHOD))
VRNIC_STANDARD_OBJECTS(VRNIC_ADD_METHODS)

/* ---- objects ---- */

DECLARE_UVERBS_NAMED_OBJECT(VRNIC_OBJECT_FAULT, UVERBS_TYPE_ALLOC_IDR(vrnic_fault_cleanup),
			    VRNIC_METHODS_FAULT(VRNIC_REF_METHOD));
DECLARE_UVERBS_NAMED_OBJECT(VRNIC_OBJECT_STREAM,
			    UVERBS_TYPE_ALLOC_FD(sizeof(struct vrnic_stream_file),
						 vrnic_stream_cleanup, &vrnic_stream_fops,
						 "[vrnic_stream]", O_RDONLY),
			    VRNIC_METHODS_STREAM(VRNIC_REF_METHOD));
DECLARE_UVERBS_NAMED_OBJECT(VRNIC_OBJECT_CAPTURE, UVERBS_TYPE_ALLOC_IDR(vrnic_watcher_cleanup),
			    VRNIC_METHODS_CAPTURE(VRNIC_REF_METHOD));
DECLARE_UVERBS_NAMED_OBJECT(VRNIC_OBJECT_COUNTERS, UVERBS_TYPE_ALLOC_IDR(vrnic_watcher_cleanup),
			    VRNIC_METHODS_COUNTERS(VRNIC_REF_METHOD));

#define VRNIC_CHAIN_METHODS(object)                                                                \
	UAPI_DEF_CHAIN_OBJ_TREE(UVERBS_OBJECT_##object, &vrnic_methods_of_##object),
#define VRNIC_CHAIN_OBJECT(object)                                                                 \
	UAPI_DEF_CHAIN_OBJ_TREE_NAMED(VRNIC_OBJECT_##object),

const struct uapi_definition vrnic_object_uapi[] = {
	VRNIC_STANDARD_OBJECTS(VRNIC_CHAIN_METHODS)
	VRNIC_OBJECTS(VRNIC_CHAIN_OBJECT)
	{},
};

/* ---- what there is ---- */

#define VRNIC_ROW_HANDLE(type, size_) .handle = (type)
#define VRNIC_ROW_NEW VRNIC_ROW_HANDLE
#define VRNIC_ROW_READ VRNIC_ROW_HANDLE
#define VRNIC_ROW_WRITE VRNIC_ROW_HANDLE
#define VRNIC_ROW_DESTROY VRNIC_ROW_HANDLE
#define VRNIC_ROW_FD_NEW VRNIC_ROW_HANDLE
#define VRNIC_ROW_FD VRNIC_ROW_HANDLE
#define VRNIC_ROW_IN(type, size_) .min_size = (size_), .size = sizeof(type)
#define VRNIC_ROW_OUT VRNIC_ROW_IN
#define VRNIC_ROW_LIST(type, size_) .min_size = sizeof(type), .size = sizeof(type)
#define VRNIC_ROW_MANDATORY VRNIC_TYPE_MANDATORY
#define VRNIC_ROW_OPTIONAL 0

/* Object and method are those of the rows before it; see vrnic_fill_types. */
#define VRNIC_ROW_ATTR(object_method, name_, kind_, type, size, presence)                          \
	{ .attr = VRNIC_ATTR_##object_method##_##name_, .kind = VRNIC_TYPE_##kind_,                \
	  .flags = VRNIC_ROW_##presence, .name = #name_, VRNIC_ROW_##kind_(type, size) },
#define VRNIC_ROW_METHOD(object, method_)                                                          \
	{ .method = VRNIC_METHOD_##object##_##method_, .kind = VRNIC_TYPE_METHOD,                  \
	  .name = #method_ },                                                                      \
	VRNIC_ATTRS_##object##_##method_(VRNIC_ROW_ATTR)
#define VRNIC_ROW_STANDARD(object_)                                                                \
	{ .object = UVERBS_OBJECT_##object_, .kind = VRNIC_TYPE_OBJECT,                            \
	  .flags = VRNIC_TYPE_STANDARD, .name = #object_ },                                        \
	VRNIC_METHODS_##object_(VRNIC_ROW_METHOD)
#define VRNIC_ROW_OBJECT(object_)                                                                  \
	{ .object = VRNIC_OBJECT_##object_, .kind = VRNIC_TYPE_OBJECT, .name = #object_ },         \
	VRNIC_METHODS_##object_(VRNIC_ROW_METHOD)

static const struct vrnic_ib_type vrnic_types[] = {
	VRNIC_STANDARD_OBJECTS(VRNIC_ROW_STANDARD)
	VRNIC_OBJECTS(VRNIC_ROW_OBJECT)
};

/* What a device may lack. */
static bool vrnic_has_object(struct ib_device *ib, u16 object)
{
	u64 features = vrnic_ib_features(ib);

	switch (object) {
	case UVERBS_OBJECT_SRQ:
		return features & VRNIC_CAP_SRQ;
	case UVERBS_OBJECT_XRCD:
		return features & VRNIC_CAP_XRC;
	case UVERBS_OBJECT_MW:
		return features & VRNIC_CAP_WINDOWS;
	case UVERBS_OBJECT_AH:
		return features & VRNIC_CAP_UD;
	case VRNIC_OBJECT_FAULT:
		return le32_to_cpu(vrnic_caps(vrnic_of(ib))->max_faults);
	case VRNIC_OBJECT_STREAM:
	case VRNIC_OBJECT_CAPTURE:
	case VRNIC_OBJECT_COUNTERS:
		return le32_to_cpu(vrnic_caps(vrnic_of(ib))->max_streams);
	default:
		return true;
	}
}

/* Those of this device; types has room for all. Returns their number. */
static u32 vrnic_fill_types(struct ib_device *ib, struct vrnic_ib_type *types)
{
	u16 object = 0, method = 0;
	bool there = false;
	u32 count = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vrnic_types); i++) {
		struct vrnic_ib_type type = vrnic_types[i];

		if (type.kind == VRNIC_TYPE_OBJECT) {
			object = type.object;
			there = vrnic_has_object(ib, object);
		} else if (type.kind == VRNIC_TYPE_METHOD) {
			method = type.method;
		}
		type.object = object;
		if (type.kind != VRNIC_TYPE_OBJECT)
			type.method = method;
		if (there)
			types[count++] = type;
	}
	return count;
}

VRNIC_HANDLER(DEVICE, TYPES)
{
	struct ib_ucontext *context = ib_uverbs_get_ucontext(attrs);
	struct vrnic_ib_type *types;
	u32 count, room = 0;
	int ret;

	if (IS_ERR(context))
		return PTR_ERR(context);
	types = uverbs_zalloc(attrs, sizeof(vrnic_types));
	if (IS_ERR(types))
		return PTR_ERR(types);
	count = vrnic_fill_types(context->device, types);
	if (uverbs_attr_is_valid(attrs, VRNIC_ATTR_DEVICE_TYPES_LIST))
		room = uverbs_attr_get_len(attrs, VRNIC_ATTR_DEVICE_TYPES_LIST) / sizeof(*types);
	room = min(room, count);
	if (room) {
		ret = uverbs_copy_to(attrs, VRNIC_ATTR_DEVICE_TYPES_LIST, types,
				     room * sizeof(*types));
		if (ret)
			return ret;
	}
	return uverbs_copy_to_struct_or_zero(attrs, VRNIC_ATTR_DEVICE_TYPES_COUNT, &count,
					     sizeof(count));
}
