// SPDX-License-Identifier: GPL-2.0
/* A process's context, and what is mapped into it: doorbell slot, device's clock, state. */
#include <linux/mm.h>
#include <linux/slab.h>

#include "vrnic_ib.h"

#define UVERBS_MODULE_NAME vrnic_ib
#include <rdma/uverbs_named_ioctl.h>

enum vrnic_mmap_kind {
	VRNIC_MMAP_DOORBELL, /* device, for writing */
	VRNIC_MMAP_CLOCK,    /* device, for reading */
	VRNIC_MMAP_STATE,    /* memory, for reading: stays when the device goes */
};

/* rdma_user_mmap_entry with what it maps. */
struct vrnic_mmap_entry {
	struct rdma_user_mmap_entry rdma;
	phys_addr_t address;
	enum vrnic_mmap_kind kind;
};

static int vrnic_mmap_entry_add(struct vrnic_ucontext *context, enum vrnic_mmap_kind kind,
				phys_addr_t address, size_t size,
				struct rdma_user_mmap_entry **added)
{
	struct vrnic_mmap_entry *entry;
	int ret;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->address = address;
	entry->kind = kind;
	ret = rdma_user_mmap_entry_insert(&context->ib, &entry->rdma, size);
	if (ret)
		kfree(entry);
	else
		*added = &entry->rdma;
	return ret;
}

/* Those that there are. */
static void vrnic_ucontext_unmap(struct vrnic_ucontext *context)
{
	rdma_user_mmap_entry_remove(context->state_entry);
	rdma_user_mmap_entry_remove(context->clock);
	rdma_user_mmap_entry_remove(context->doorbell);
}

static int vrnic_ucontext_map(struct vrnic_ucontext *context)
{
	struct vrnic_dev *dev = vrnic_of(context->ib.device);
	phys_addr_t clock = vrnic_clock_address(dev);
	int ret;

	ret = vrnic_mmap_entry_add(context, VRNIC_MMAP_DOORBELL,
				   vrnic_uar_address(dev, context->uar), vrnic_uar_size(dev),
				   &context->doorbell);
	if (!ret && clock)
		ret = vrnic_mmap_entry_add(context, VRNIC_MMAP_CLOCK, clock, PAGE_SIZE,
					   &context->clock);
	if (!ret)
		ret = vrnic_mmap_entry_add(context, VRNIC_MMAP_STATE, 0, PAGE_SIZE,
					   &context->state_entry);
	if (ret)
		vrnic_ucontext_unmap(context);
	return ret;
}

static void vrnic_ucontext_fill(struct vrnic_ucontext *context,
				struct vrnic_ib_alloc_ucontext_resp *resp)
{
	struct vrnic_dev *dev = vrnic_of(context->ib.device);
	const struct vrnic_device_caps *caps = vrnic_caps(dev);

	resp->db_mmap_key = rdma_user_mmap_get_offset(context->doorbell);
	resp->db_mmap_size = vrnic_uar_size(dev);
	resp->db_offset = 0;
	resp->max_inline = le32_to_cpu(caps->max_inline);
	resp->max_send_sge = le32_to_cpu(caps->max_send_sge);
	resp->max_recv_sge = le32_to_cpu(caps->max_recv_sge);
	resp->max_sq_entries = le32_to_cpu(caps->max_sq_entries);
	resp->max_rq_entries = le32_to_cpu(caps->max_rq_entries);
	resp->max_cq_entries = le32_to_cpu(caps->max_cq_entries);
	resp->max_srq_entries = le32_to_cpu(caps->max_srq_entries);
	resp->features = le64_to_cpu(caps->features);
	if (context->clock) {
		resp->clock_mmap_key = rdma_user_mmap_get_offset(context->clock);
		resp->clock_mmap_size = PAGE_SIZE;
		resp->clock_offset = offset_in_page(VRNIC_REG_CLOCK);
	}
	resp->state_mmap_key = rdma_user_mmap_get_offset(context->state_entry);
	resp->state_mmap_size = PAGE_SIZE;
}

/* A process that only polls learns by this that its device is gone. */
static int vrnic_state_create(struct vrnic_ucontext *context)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(context->ib.device);

	context->state = (struct vrnic_ib_state *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!context->state)
		return -ENOMEM;
	context->state->alive = 1;
	spin_lock_irq(&vib->contexts_lock);
	list_add(&context->entry, &vib->contexts);
	spin_unlock_irq(&vib->contexts_lock);
	if (vrnic_is_dead(vib->dev))
		WRITE_ONCE(context->state->alive, 0);
	return 0;
}

/* The page itself goes when no process has it mapped any more. */
static void vrnic_state_destroy(struct vrnic_ucontext *context)
{
	struct vrnic_ib_dev *vib = to_vrnic_ib(context->ib.device);

	spin_lock_irq(&vib->contexts_lock);
	list_del(&context->entry);
	spin_unlock_irq(&vib->contexts_lock);
	WRITE_ONCE(context->state->alive, 0);
	free_page((unsigned long)context->state);
}

/* The device is dead. Any context. */
void vrnic_states_end(struct vrnic_ib_dev *vib)
{
	struct vrnic_ucontext *context;
	unsigned long flags;

	spin_lock_irqsave(&vib->contexts_lock, flags);
	list_for_each_entry(context, &vib->contexts, entry)
		WRITE_ONCE(context->state->alive, 0);
	spin_unlock_irqrestore(&vib->contexts_lock, flags);
}

int vrnic_alloc_ucontext(struct ib_ucontext *ib, struct ib_udata *udata)
{
	struct vrnic_ucontext *context = to_vrnic_ucontext(ib);
	struct vrnic_dev *dev = vrnic_of(ib->device);
	struct vrnic_ib_alloc_ucontext_req req;
	struct vrnic_ib_alloc_ucontext_resp resp = {};
	int ret;

	ret = vrnic_get_udata(udata, &req, sizeof(req));
	if (ret)
		return ret;
	/* Without these answers no provider can work; what came later it may not know. */
	if (udata->outlen < offsetofend(struct vrnic_ib_alloc_ucontext_resp, features))
		return -EINVAL;

	ret = vrnic_state_create(context);
	if (ret)
		return ret;
	ret = vrnic_cmd_alloc_uar(dev, &context->uar);
	if (ret)
		goto destroy_state;
	ret = vrnic_ucontext_map(context);
	if (ret)
		goto free_uar;
	vrnic_ucontext_fill(context, &resp);
	ret = vrnic_put_udata(udata, &resp, sizeof(resp));
	if (ret)
		goto remove_entry;
	return 0;

remove_entry:
	vrnic_ucontext_unmap(context);
free_uar:
	vrnic_cmd_free_uar(dev, context->uar);
destroy_state:
	vrnic_state_destroy(context);
	return ret;
}

/* For a process that imports the context, and maps the same pages. */
int vrnic_query_ucontext(struct ib_ucontext *ib, struct uverbs_attr_bundle *attrs)
{
	struct vrnic_ib_alloc_ucontext_resp resp = {};

	vrnic_ucontext_fill(to_vrnic_ucontext(ib), &resp);
	return uverbs_copy_to_struct_or_zero(attrs, VRNIC_IB_ATTR_QUERY_CONTEXT_RESP, &resp,
					     sizeof(resp));
}

static_assert(VRNIC_IB_ATTR_QUERY_CONTEXT_RESP == 1U << UVERBS_ID_NS_SHIFT);

ADD_UVERBS_ATTRIBUTES_SIMPLE(
	vrnic_query_context, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_CONTEXT,
	UVERBS_ATTR_PTR_OUT(VRNIC_IB_ATTR_QUERY_CONTEXT_RESP,
			    UVERBS_ATTR_STRUCT(struct vrnic_ib_alloc_ucontext_resp, features),
			    UA_MANDATORY));

const struct uapi_definition vrnic_uapi[] = {
	UAPI_DEF_CHAIN_OBJ_TREE(UVERBS_OBJECT_DEVICE, &vrnic_query_context),
	UAPI_DEF_CHAIN(vrnic_object_uapi),
	{},
};

/*
 * The process is gone, or the device is taken from it: then the core has ended
 * all of its objects and has taken the mappings of the device away.
 */
void vrnic_dealloc_ucontext(struct ib_ucontext *ib)
{
	struct vrnic_ucontext *context = to_vrnic_ucontext(ib);

	vrnic_ucontext_unmap(context);
	vrnic_cmd_free_uar(vrnic_of(ib->device), context->uar);
	vrnic_state_destroy(context);
}

/* Its presence tells the core that we can be unplugged; the core removes the mappings. */
void vrnic_disassociate_ucontext(struct ib_ucontext *ib)
{
}

int vrnic_mmap(struct ib_ucontext *ib, struct vm_area_struct *vma)
{
	struct rdma_user_mmap_entry *rdma;
	struct vrnic_mmap_entry *entry;
	bool read_only;
	int ret;

	rdma = rdma_user_mmap_entry_get(ib, vma);
	if (!rdma)
		return -EINVAL;
	entry = container_of(rdma, struct vrnic_mmap_entry, rdma);

	/* A copy in a child would not be taken away with the device. */
	vm_flags_set(vma, VM_DONTCOPY);
	read_only = entry->kind != VRNIC_MMAP_DOORBELL;
	if (read_only)
		vm_flags_clear(vma, VM_MAYWRITE);
	if (vma->vm_flags & VM_EXEC || (read_only && vma->vm_flags & VM_WRITE))
		ret = -EINVAL;
	else if (entry->kind == VRNIC_MMAP_STATE)
		ret = vm_insert_page(vma, vma->vm_start,
				     virt_to_page(to_vrnic_ucontext(ib)->state));
	else
		ret = rdma_user_mmap_io(ib, vma, PHYS_PFN(entry->address),
					rdma->npages * PAGE_SIZE,
					pgprot_noncached(vma->vm_page_prot), rdma);
	rdma_user_mmap_entry_put(rdma);
	return ret;
}

void vrnic_mmap_free(struct rdma_user_mmap_entry *entry)
{
	kfree(container_of(entry, struct vrnic_mmap_entry, rdma));
}
