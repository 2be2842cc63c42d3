// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts and event queues. Vector n belongs to event queue n. Number 0
 * takes asynchronous events, and its vector also the admin completions; the
 * others take completion events, one for each CPU as far as they go, and at
 * least four: kernel consumers spread their queues over that many.
 */
#include <linux/dma-mapping.h>

#include "vrnic.h"

#define VRNIC_ASYNC_EQ_LOG_SIZE 8
/* A completion queue has at most one event outstanding for each arming. */
#define VRNIC_COMPLETION_EQ_LOG_SIZE 12
#define VRNIC_LEAST_COMPLETION_EQS 4u

static void vrnic_eq_arm(struct vrnic_eq *eq)
{
	vrnic_write(eq->dev, VRNIC_REG_EQ_DB + eq->eqn * VRNIC_REG_EQ_DB_STRIDE,
		    VRNIC_EQ_DB_ARM | ((u32)eq->ci & ~VRNIC_EQ_DB_ARM));
}

static void vrnic_eq_dispatch(struct vrnic_eq *eq, u32 type, u32 number, u32 code)
{
	if (eq->eqn == VRNIC_ASYNC_EQ)
		vrnic_async_event(eq->dev, type, number, code);
	else if (type == VRNIC_EVENT_COMPLETION)
		vrnic_cq_complete(eq->dev, number);
	else
		dev_warn_ratelimited(&eq->dev->pdev->dev, "event 0x%x in completion queue %u\n",
				     type, eq->eqn);
}

/* Takes what is there, at most one ring full, and arms the queue again. */
static void vrnic_eq_poll(struct vrnic_eq *eq)
{
	u32 budget = 1u << eq->log_size;
	unsigned long flags;

	spin_lock_irqsave(&eq->lock, flags);
	if (!eq->created || vrnic_is_dead(eq->dev)) {
		spin_unlock_irqrestore(&eq->lock, flags);
		return;
	}
	while (budget--) {
		const struct vrnic_eqe *eqe = &eq->ring[eq->ci & ((1u << eq->log_size) - 1)];

		if (le64_to_cpu(READ_ONCE(eqe->seq)) != eq->ci + 1)
			break;
		dma_rmb(); /* the sequence before the rest */
		vrnic_eq_dispatch(eq, le32_to_cpu(eqe->type), le32_to_cpu(eqe->number),
				  le32_to_cpu(eqe->code));
		eq->ci++;
	}
	vrnic_eq_arm(eq);
	spin_unlock_irqrestore(&eq->lock, flags);
}

static irqreturn_t vrnic_irq(int irq, void *data)
{
	struct vrnic_eq *eq = data;

	if (eq->eqn == VRNIC_ASYNC_EQ)
		vrnic_admin_poll(eq->dev);
	vrnic_eq_poll(eq);
	return IRQ_HANDLED;
}

/* ---- asynchronous events ---- */

void vrnic_async_to_client(struct vrnic_dev *dev, u32 type, u32 number, u32 code)
{
	struct vrnic_async_client *client;

	rcu_read_lock();
	client = rcu_dereference(dev->async_client);
	if (client)
		client->event(client, type, number, code);
	rcu_read_unlock();
}

void vrnic_async_event(struct vrnic_dev *dev, u32 type, u32 number, u32 code)
{
	switch (type) {
	case VRNIC_EVENT_CQ_ERROR:
		vrnic_cq_error(dev, number, code);
		break;
	case VRNIC_EVENT_PORT_UP:
	case VRNIC_EVENT_PORT_DOWN:
		vrnic_netdev_link(dev, type == VRNIC_EVENT_PORT_UP);
		break;
	case VRNIC_EVENT_DEVICE_FATAL:
		vrnic_kill(dev, "fatal event");
		break;
	default:
		vrnic_async_to_client(dev, type, number, code);
	}
}

void vrnic_async_client_set(struct vrnic_dev *dev, struct vrnic_async_client *client)
{
	rcu_assign_pointer(dev->async_client, client);
}
EXPORT_SYMBOL_GPL(vrnic_async_client_set);

/* Sleeps until no call to the client is under way. */
void vrnic_async_client_clear(struct vrnic_dev *dev)
{
	RCU_INIT_POINTER(dev->async_client, NULL);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(vrnic_async_client_clear);

void vrnic_async_sync(struct vrnic_dev *dev)
{
	synchronize_irq(pci_irq_vector(dev->pdev, VRNIC_ASYNC_EQ));
}
EXPORT_SYMBOL_GPL(vrnic_async_sync);

/* ---- start and stop ---- */

static int vrnic_eq_init(struct vrnic_dev *dev, unsigned int n)
{
	struct vrnic_eq *eq = &dev->eqs[n];

	eq->dev = dev;
	eq->eqn = n;
	eq->ci = 0;
	eq->created = false;
	eq->log_size = n == VRNIC_ASYNC_EQ ? VRNIC_ASYNC_EQ_LOG_SIZE :
					     VRNIC_COMPLETION_EQ_LOG_SIZE;
	spin_lock_init(&eq->lock);
	eq->ring_bytes = sizeof(*eq->ring) << eq->log_size;
	eq->ring = dma_alloc_coherent(&dev->pdev->dev, eq->ring_bytes, &eq->ring_dma, GFP_KERNEL);
	if (!eq->ring)
		return -ENOMEM;

	snprintf(eq->name, sizeof(eq->name), "vrnic-%s-%u@%.16s",
		 n == VRNIC_ASYNC_EQ ? "async" : "comp", n, pci_name(dev->pdev));
	return 0;
}

/* Vectors and memory of all event queues; the admin queue needs vector 0 before they exist. */
int vrnic_irqs_start(struct vrnic_dev *dev)
{
	unsigned int completions = max(num_online_cpus(), VRNIC_LEAST_COMPLETION_EQS);
	unsigned int want = min3(vrnic_read(dev, VRNIC_REG_VECTORS), completions + 1,
				 (u32)VRNIC_MAX_EQS);
	unsigned int n;
	int ret;

	dev->num_eqs = 0;
	ret = pci_alloc_irq_vectors(dev->pdev, 2, max(want, 2u), PCI_IRQ_MSIX);
	if (ret < 0) {
		vrnic_err(dev, "needs 2 MSI-X vectors: %d\n", ret);
		return ret;
	}
	dev->num_eqs = ret;
	for (n = 0; n < dev->num_eqs; n++) {
		struct vrnic_eq *eq = &dev->eqs[n];

		ret = vrnic_eq_init(dev, n);
		if (!ret)
			ret = request_irq(pci_irq_vector(dev->pdev, n), vrnic_irq, 0, eq->name, eq);
		if (ret) {
			vrnic_err(dev, "interrupt %u: %d\n", n, ret);
			vrnic_irqs_stop(dev);
			return ret;
		}
		eq->irq_requested = true;
	}
	return 0;
}

/* The device was reset or is dead. */
void vrnic_irqs_stop(struct vrnic_dev *dev)
{
	unsigned int n;

	for (n = 0; n < dev->num_eqs; n++) {
		struct vrnic_eq *eq = &dev->eqs[n];

		if (eq->irq_requested)
			free_irq(pci_irq_vector(dev->pdev, n), eq);
		if (eq->ring)
			dma_free_coherent(&dev->pdev->dev, eq->ring_bytes, eq->ring, eq->ring_dma);
		eq->irq_requested = false;
		eq->ring = NULL;
	}
	dev->num_eqs = 0;
	pci_free_irq_vectors(dev->pdev);
}

static int vrnic_eq_create(struct vrnic_eq *eq)
{
	struct vrnic_cmd_create_eq cmd = {
		.eqn = cpu_to_le32(eq->eqn),
		.vector = cpu_to_le32(eq->eqn),
		.log_size = eq->log_size,
	};
	int ret;

	vrnic_contiguous(&cmd.ring, eq->ring_dma, sizeof(*eq->ring) << eq->log_size);
	ret = vrnic_cmd_create_eq(eq->dev, &cmd);
	if (ret) {
		vrnic_err(eq->dev, "event queue %u: %d\n", eq->eqn, ret);
		return ret;
	}
	spin_lock_irq(&eq->lock);
	eq->created = true;
	spin_unlock_irq(&eq->lock);
	vrnic_eq_poll(eq);
	return 0;
}

/* After the device's capabilities are known. */
int vrnic_eqs_start(struct vrnic_dev *dev)
{
	u32 max_eqs = le32_to_cpu(dev->caps->max_eqs);
	u32 max_entries = le32_to_cpu(dev->caps->max_eq_entries);
	unsigned int n;
	int ret;

	if (max_eqs < 2 || max_entries < 1 << VRNIC_ASYNC_EQ_LOG_SIZE) {
		vrnic_err(dev, "too few event queues: %u of %u entries\n", max_eqs, max_entries);
		return -ENODEV;
	}
	for (n = 0; n < dev->num_eqs && n < max_eqs; n++) {
		struct vrnic_eq *eq = &dev->eqs[n];

		while (1u << eq->log_size > max_entries)
			eq->log_size--;
		ret = vrnic_eq_create(eq);
		if (ret) {
			vrnic_eqs_stop(dev);
			return ret;
		}
	}
	return 0;
}

void vrnic_eqs_stop(struct vrnic_dev *dev)
{
	unsigned int n;

	/* The asynchronous queue last. */
	for (n = dev->num_eqs; n-- > 0;) {
		struct vrnic_eq *eq = &dev->eqs[n];
		bool created;

		spin_lock_irq(&eq->lock);
		created = eq->created;
		eq->created = false;
		spin_unlock_irq(&eq->lock);
		if (created)
			vrnic_cmd_destroy_eq(dev, n);
	}
}

unsigned int vrnic_num_completion_eqs(const struct vrnic_dev *dev)
{
	unsigned int n = 0;

	while (n + 1 < dev->num_eqs && dev->eqs[n + 1].created)
		n++;
	return n;
}
EXPORT_SYMBOL_GPL(vrnic_num_completion_eqs);
