// SPDX-License-Identifier: GPL-2.0
/* FAULT: a process gives the device a rule of what is to go wrong. */
#include <linux/capability.h>
#include <linux/slab.h>

#include "fault.h"
#include "objects.h"

struct vrnic_fault {
	struct vrnic_ib_dev *vib;
	struct list_head entry; /* of vrnic_ib_dev.faults */
	struct vrnic_fault_rule rule;
	u32 handle;
	bool of_qp; /* the rule is about one queue pair, of the process itself */
	bool ended; /* that is gone */
};

/* What a process may ask for: about its own queue pair anything, else whatever hits everybody with a capability. */
static int vrnic_fault_may(struct vrnic_fault *fault, u32 qpn)
{
	if (fault->of_qp) {
		fault->rule.flags |= cpu_to_le32(VRNIC_FAULT_HAS_QPN);
		fault->rule.qpn = cpu_to_le32(qpn);
		return 0;
	}
	return capable(CAP_NET_ADMIN) ? 0 : -EPERM;
}

struct vrnic_fault *vrnic_fault_make(struct vrnic_ib_dev *vib, const struct vrnic_fault_rule *rule,
				     struct ib_qp *qp)
{
	struct vrnic_fault *fault;
	int ret;

	fault = kzalloc(sizeof(*fault), GFP_KERNEL_ACCOUNT);
	if (!fault)
		return ERR_PTR(-ENOMEM);
	fault->vib = vib;
	fault->rule = *rule;
	fault->of_qp = qp;
	ret = vrnic_fault_may(fault, qp ? to_vrnic_qp(qp)->qpn : 0);
	if (ret)
		goto free;
	mutex_lock(&vib->faults_lock);
	ret = vrnic_cmd_create_fault(vib->dev, &fault->rule, &fault->handle);
	if (!ret)
		list_add(&fault->entry, &vib->faults);
	mutex_unlock(&vib->faults_lock);
	if (ret)
		goto free;
	return fault;

free:
	kfree(fault);
	return ERR_PTR(ret);
}

static void vrnic_fault_end(struct vrnic_fault *fault)
{
	lockdep_assert_held(&fault->vib->faults_lock);
	if (fault->ended)
		return;
	fault->ended = true;
	list_del(&fault->entry);
	vrnic_cmd_destroy_fault(fault->vib->dev, fault->handle);
}

void vrnic_fault_free(struct vrnic_fault *fault)
{
	struct vrnic_ib_dev *vib = fault->vib;

	mutex_lock(&vib->faults_lock);
	vrnic_fault_end(fault);
	mutex_unlock(&vib->faults_lock);
	kfree(fault);
}

u32 vrnic_fault_handle(const struct vrnic_fault *fault)
{
	return fault->handle;
}

bool vrnic_fault_is_of(const struct vrnic_fault *fault, u32 qpn)
{
	return fault->of_qp && le32_to_cpu(fault->rule.qpn) == qpn;
}

VRNIC_HANDLER(FAULT, CREATE)
{
	struct ib_uobject *uobject =
		uverbs_attr_get_uobject(attrs, VRNIC_ATTR_FAULT_CREATE_HANDLE);
	struct vrnic_fault_rule rule;
	struct vrnic_fault *fault;
	struct ib_qp *qp = NULL;
	int ret;

	ret = uverbs_copy_from_or_zero(&rule, attrs, VRNIC_ATTR_FAULT_CREATE_RULE);
	if (ret)
		return ret;
	if (uverbs_attr_is_valid(attrs, VRNIC_ATTR_FAULT_CREATE_QP))
		qp = uverbs_attr_get_obj(attrs, VRNIC_ATTR_FAULT_CREATE_QP);
	fault = vrnic_fault_make(to_vrnic_ib(uobject->context->device), &rule, qp);
	if (IS_ERR(fault))
		return PTR_ERR(fault);
#if VRNIC_OBJECTS_VERSION >= 2 /* else it is built as an older one, for a test */
	if (uverbs_attr_is_valid(attrs, VRNIC_ATTR_FAULT_CREATE_NUMBER)) {
		ret = uverbs_copy_to_struct_or_zero(attrs, VRNIC_ATTR_FAULT_CREATE_NUMBER,
						    &fault->handle, sizeof(fault->handle));
		if (ret) {
			vrnic_fault_free(fault);
			return ret;
		}
	}
#endif
	uobject->object = fault;
	uverbs_finalize_uobj_create(attrs, VRNIC_ATTR_FAULT_CREATE_HANDLE);
	return 0;
}

VRNIC_HANDLER(FAULT, QUERY)
{
	struct vrnic_fault *fault = uverbs_attr_get_obj(attrs, VRNIC_ATTR_FAULT_QUERY_HANDLE);
	struct vrnic_fault_context context;
	struct vrnic_fault_rule rule;
	int ret = -ENODEV;

	mutex_lock(&fault->vib->faults_lock);
	rule = fault->rule;
	if (!fault->ended)
		ret = vrnic_cmd_query_object(fault->vib->dev, VRNIC_CONTEXT_FAULT, fault->handle,
					     &context, sizeof(context));
	mutex_unlock(&fault->vib->faults_lock);
	if (!ret && uverbs_attr_is_valid(attrs, VRNIC_ATTR_FAULT_QUERY_RULE))
		ret = uverbs_copy_to_struct_or_zero(attrs, VRNIC_ATTR_FAULT_QUERY_RULE, &rule,
						    sizeof(rule));
	if (!ret && uverbs_attr_is_valid(attrs, VRNIC_ATTR_FAULT_QUERY_CONTEXT))
		ret = uverbs_copy_to_struct_or_zero(attrs, VRNIC_ATTR_FAULT_QUERY_CONTEXT,
						    &context, sizeof(context));
	return ret;
}

/* Counts from 0 again. rule: NULL for the one that it has. */
static int vrnic_fault_replace(struct vrnic_fault *fault, const struct vrnic_fault_rule *rule)
{
	struct vrnic_fault changed = { .of_qp = fault->of_qp };
	int ret = -ENODEV;

	mutex_lock(&fault->vib->faults_lock);
	changed.rule = rule ? *rule : fault->rule;
	if (!fault->ended)
		ret = vrnic_fault_may(&changed, le32_to_cpu(fault->rule.qpn));
	if (!ret)
		ret = vrnic_cmd_modify_fault(fault->vib->dev, fault->handle, &changed.rule);
	if (!ret)
		fault->rule = changed.rule;
	mutex_unlock(&fault->vib->faults_lock);
	return ret;
}

VRNIC_HANDLER(FAULT, MODIFY)
{
	struct vrnic_fault *fault = uverbs_attr_get_obj(attrs, VRNIC_ATTR_FAULT_MODIFY_HANDLE);
	struct vrnic_fault_rule rule;
	int ret;

	ret = uverbs_copy_from_or_zero(&rule, attrs, VRNIC_ATTR_FAULT_MODIFY_RULE);
	return ret ? ret : vrnic_fault_replace(fault, &rule);
}

VRNIC_HANDLER(FAULT, CALL)
{
	struct vrnic_fault *fault = uverbs_attr_get_obj(attrs, VRNIC_ATTR_FAULT_CALL_HANDLE);
	u32 operation;
	int ret;

	ret = uverbs_copy_from(&operation, attrs, VRNIC_ATTR_FAULT_CALL_OPERATION);
	if (ret)
		return ret;
	if (operation != VRNIC_FAULT_CALL_RESTART)
		return -EOPNOTSUPP;
	return vrnic_fault_replace(fault, NULL);
}

/* The core has done it: vrnic_fault_cleanup. */
VRNIC_HANDLER(FAULT, DESTROY)
{
	return 0;
}

/* Destroyed, or its process or the device is gone. */
int vrnic_fault_cleanup(struct ib_uobject *uobject, enum rdma_remove_reason why,
			struct uverbs_attr_bundle *attrs)
{
	vrnic_fault_free(uobject->object);
	return 0;
}

/* A queue pair ends: its number may be another's soon. */
void vrnic_faults_end(struct vrnic_ib_dev *vib, u32 qpn)
{
	struct vrnic_fault *fault, *next;

	mutex_lock(&vib->faults_lock);
	list_for_each_entry_safe(fault, next, &vib->faults, entry)
		if (vrnic_fault_is_of(fault, qpn))
			vrnic_fault_end(fault);
	mutex_unlock(&vib->faults_lock);
}
