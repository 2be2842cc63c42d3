// SPDX-License-Identifier: GPL-2.0
/* From a completion queue's number to who hears of its events. */
#include "vrnic.h"

void vrnic_cq_complete(struct vrnic_dev *dev, u32 cqn)
{
	struct vrnic_cq_handler *handler = xa_load(&dev->cq_handlers, cqn);

	/* None: an event from before the queue's end. */
	if (handler)
		handler->complete(handler);
}

void vrnic_cq_error(struct vrnic_dev *dev, u32 cqn, u32 syndrome)
{
	struct vrnic_cq_handler *handler = xa_load(&dev->cq_handlers, cqn);

	dev_warn_ratelimited(&dev->pdev->dev, "completion queue %u failed, syndrome %u\n", cqn,
			     syndrome);
	if (handler)
		handler->error(handler, syndrome);
}

int vrnic_cq_handler_add(struct vrnic_dev *dev, struct vrnic_cq_handler *handler)
{
	return xa_insert(&dev->cq_handlers, handler->cqn, handler, GFP_KERNEL);
}
EXPORT_SYMBOL_GPL(vrnic_cq_handler_add);

/*
 * Handlers are found and called in the interrupts of two event queues and
 * nowhere else: once these have finished nobody holds the pointer.
 */
void vrnic_cq_handler_remove(struct vrnic_dev *dev, struct vrnic_cq_handler *handler)
{
	xa_erase(&dev->cq_handlers, handler->cqn);
	synchronize_irq(pci_irq_vector(dev->pdev, handler->eqn));
	synchronize_irq(pci_irq_vector(dev->pdev, VRNIC_ASYNC_EQ));
}
EXPORT_SYMBOL_GPL(vrnic_cq_handler_remove);
