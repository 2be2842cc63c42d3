// SPDX-License-Identifier: GPL-2.0
/* Objects as the device holds them: asked for by a handle, which says that they are the asking process's, or by number. */
#include <linux/capability.h>

#include "objects.h"

static int vrnic_answer_context(struct uverbs_attr_bundle *attrs, struct ib_device *ib, u16 attr,
				u32 type, u32 number)
{
	struct vrnic_ib_context context;
	int ret;

	ret = vrnic_cmd_query_object(vrnic_of(ib), type, number, &context, sizeof(context));
	if (ret)
		return ret;
	return uverbs_copy_to_struct_or_zero(attrs, attr, &context,
					     min_t(size_t, sizeof(context),
						   uverbs_attr_get_len(attrs, attr)));
}

/* ---- the device ---- */

VRNIC_HANDLER(DEVICE, QUERY)
{
	struct ib_ucontext *context = ib_uverbs_get_ucontext(attrs);
	const struct vrnic_device_caps *caps;

	if (IS_ERR(context))
		return PTR_ERR(context);
	caps = vrnic_caps(vrnic_of(context->device));
	return uverbs_copy_to_struct_or_zero(attrs, VRNIC_ATTR_DEVICE_QUERY_CAPS, caps,
					     sizeof(*caps));
}

VRNIC_HANDLER(DEVICE, QUERY_PORT)
{
	struct ib_ucontext *context = ib_uverbs_get_ucontext(attrs);

	if (IS_ERR(context))
		return PTR_ERR(context);
	return vrnic_answer_context(attrs, context->device, VRNIC_ATTR_DEVICE_QUERY_PORT_CONTEXT,
				    VRNIC_CONTEXT_PORT, VRNIC_PORT);
}

VRNIC_HANDLER(DEVICE, QUERY_OBJECT)
{
	struct ib_ucontext *context = ib_uverbs_get_ucontext(attrs);
	u32 type, number;
	int ret;

	if (IS_ERR(context))
		return PTR_ERR(context);
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	ret = uverbs_copy_from(&type, attrs, VRNIC_ATTR_DEVICE_QUERY_OBJECT_TYPE);
	if (!ret)
		ret = uverbs_copy_from(&number, attrs, VRNIC_ATTR_DEVICE_QUERY_OBJECT_NUMBER);
	if (ret)
		return ret;
	return vrnic_answer_context(attrs, context->device, VRNIC_ATTR_DEVICE_QUERY_OBJECT_CONTEXT,
				    type, number);
}

/* ---- standard objects ---- */

static u32 vrnic_number_of_pd(struct ib_pd *pd)
{
	return to_vrnic_pd(pd)->pdn;
}

static u32 vrnic_number_of_xrcd(struct ib_xrcd *xrcd)
{
	return to_vrnic_xrcd(xrcd)->xrcdn;
}

u32 vrnic_number_of_cq(void *cq)
{
	return to_vrnic_cq(cq)->cqn;
}

u32 vrnic_number_of_srq(void *srq)
{
	return to_vrnic_srq(srq)->srqn;
}

u32 vrnic_number_of_qp(void *qp)
{
	return to_vrnic_qp(qp)->qpn;
}

u32 vrnic_number_of_mr(void *mr)
{
	return to_vrnic_mr(mr)->key;
}

static u32 vrnic_number_of_mw(struct ib_mw *mw)
{
	return mw->rkey; /* at its creation: the key byte does not count */
}

#define VRNIC_QUERY_HANDLER(object, ib_object, context)                                            \
	VRNIC_HANDLER(object, QUERY)                                                               \
	{                                                                                          \
		struct ib_##ib_object *ib =                                                        \
			uverbs_attr_get_obj(attrs, VRNIC_ATTR_##object##_QUERY_HANDLE);            \
                                                                                                   \
		return vrnic_answer_context(attrs, ib->device,                                     \
					    VRNIC_ATTR_##object##_QUERY_CONTEXT,                   \
					    VRNIC_CONTEXT_##context,                               \
					    vrnic_number_of_##ib_object(ib));                      \
	}
VRNIC_QUERY_HANDLER(PD, pd, PD)
VRNIC_QUERY_HANDLER(XRCD, xrcd, XRCD)
VRNIC_QUERY_HANDLER(CQ, cq, CQ)
VRNIC_QUERY_HANDLER(SRQ, srq, SRQ)
VRNIC_QUERY_HANDLER(QP, qp, QP)
VRNIC_QUERY_HANDLER(MR, mr, KEY)
VRNIC_QUERY_HANDLER(MW, mw, KEY)

static int vrnic_do_call(struct uverbs_attr_bundle *attrs, struct ib_device *ib, u16 attr, u32 type,
			 u32 number)
{
	u32 operation;
	int ret = uverbs_copy_from(&operation, attrs, attr);

	return ret ? ret : vrnic_cmd_call_object(vrnic_of(ib), type, number, operation);
}

#define VRNIC_CALL_HANDLER(object, ib_object)                                                      \
	VRNIC_HANDLER(object, CALL)                                                                \
	{                                                                                          \
		struct ib_##ib_object *ib =                                                        \
			uverbs_attr_get_obj(attrs, VRNIC_ATTR_##object##_CALL_HANDLE);             \
                                                                                                   \
		return vrnic_do_call(attrs, ib->device, VRNIC_ATTR_##object##_CALL_OPERATION,      \
				     VRNIC_CONTEXT_##object, vrnic_number_of_##ib_object(ib));     \
	}
VRNIC_CALL_HANDLER(CQ, cq)
VRNIC_CALL_HANDLER(SRQ, srq)
VRNIC_CALL_HANDLER(QP, qp)

VRNIC_HANDLER(AH, QUERY)
{
	struct ib_ah *ah = uverbs_attr_get_obj(attrs, VRNIC_ATTR_AH_QUERY_HANDLE);

	return uverbs_copy_to_struct_or_zero(attrs, VRNIC_ATTR_AH_QUERY_AV, &to_vrnic_ah(ah)->av,
					     sizeof(struct vrnic_av));
}
