// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queue: many commands outstanding, answered in any order.
 *
 * A waiting command sleeps until the interrupt of vector 0 has its completion.
 * It also looks for itself, right after the doorbell and then now and then: an
 * interrupt that is lost costs time, not the command.
 */
#include <linux/dma-mapping.h>

#include "vrnic.h"

/* Without an answer for so long the device counts as stuck. A loaded host is slow. */
#define VRNIC_ADMIN_TIMEOUT (10 * HZ)
#define VRNIC_ADMIN_LOOK_AGAIN (HZ / 10)

#define VRNIC_ADMIN_MASK (VRNIC_ADMIN_ENTRIES - 1)
#define VRNIC_ADMIN_RING_BYTES (VRNIC_ADMIN_ENTRIES * VRNIC_ADMIN_ENTRY_SIZE)

static const struct {
	int error;
	const char *name;
} vrnic_admin_status[] = {
	[VRNIC_STATUS_OK] = { 0, "ok" },
	[VRNIC_STATUS_BAD_OPCODE] = { -EOPNOTSUPP, "bad opcode" },
	[VRNIC_STATUS_RESERVED] = { -EINVAL, "reserved field not zero" },
	[VRNIC_STATUS_INVALID] = { -EINVAL, "invalid field" },
	[VRNIC_STATUS_NO_OBJECT] = { -ENOENT, "no such object" },
	[VRNIC_STATUS_BUSY] = { -EBUSY, "object in use" },
	[VRNIC_STATUS_LIMIT] = { -ENOMEM, "limit reached" },
	[VRNIC_STATUS_DMA] = { -EFAULT, "memory not reachable" },
	[VRNIC_STATUS_BAD_STATE] = { -EINVAL, "wrong state" },
	[VRNIC_STATUS_UNSUPPORTED] = { -EOPNOTSUPP, "unsupported" },
	[VRNIC_STATUS_PERMISSION] = { -EPERM, "other owner" },
};

/* Takes all new completions. Any context. */
void vrnic_admin_poll(struct vrnic_dev *dev)
{
	struct vrnic_admin *admin = &dev->admin;
	unsigned long flags;

	spin_lock_irqsave(&admin->lock, flags);
	while (admin->running) {
		struct vrnic_admin_cpl *cpl = &admin->cq[admin->cq_ci & VRNIC_ADMIN_MASK];
		u32 phase = (admin->cq_ci >> VRNIC_ADMIN_LOG_SIZE) + 1;
		struct vrnic_admin_slot *slot;
		u16 tag;

		if (le32_to_cpu(READ_ONCE(cpl->phase)) != phase)
			break;
		dma_rmb(); /* the phase before the rest */
		tag = le16_to_cpu(cpl->tag);
		slot = &admin->slots[tag & VRNIC_ADMIN_MASK];
		if (slot->busy && !slot->answered && slot->tag == tag) {
			slot->cpl = *cpl;
			slot->answered = true;
			complete(&slot->done);
		} else {
			vrnic_warn(dev, "completion of no command, tag %u\n", tag);
		}
		admin->cq_ci++;
	}
	spin_unlock_irqrestore(&admin->lock, flags);
}

/* The device is dead: wakes everybody who waits for an answer. Any context. */
void vrnic_admin_fail_all(struct vrnic_dev *dev)
{
	struct vrnic_admin *admin = &dev->admin;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&admin->lock, flags);
	for (i = 0; i < VRNIC_ADMIN_ENTRIES; i++) {
		if (admin->slots[i].busy && !admin->slots[i].answered)
			complete(&admin->slots[i].done);
	}
	spin_unlock_irqrestore(&admin->lock, flags);
}

static struct vrnic_admin_slot *vrnic_admin_submit(struct vrnic_dev *dev, u16 opcode,
						   const void *cmd, size_t cmd_size)
{
	struct vrnic_admin *admin = &dev->admin;
	struct vrnic_admin_slot *slot;
	struct vrnic_admin_cmd *entry;
	unsigned long flags;

	spin_lock_irqsave(&admin->lock, flags);
	if (!admin->running || vrnic_is_dead(dev)) {
		spin_unlock_irqrestore(&admin->lock, flags);
		return NULL;
	}
	/* free_slots was taken: one is free. */
	for (slot = admin->slots; slot->busy; slot++)
		;
	slot->busy = true;
	slot->answered = false;
	slot->tag = admin->generation++ << VRNIC_ADMIN_LOG_SIZE | (slot - admin->slots);
	reinit_completion(&slot->done);

	entry = &admin->sq[admin->sq_pi & VRNIC_ADMIN_MASK];
	memset(entry, 0, sizeof(*entry));
	entry->opcode = cpu_to_le16(opcode);
	entry->tag = cpu_to_le16(slot->tag);
	memcpy(entry->payload, cmd, cmd_size);
	admin->sq_pi++;
	vrnic_write(dev, VRNIC_REG_ADMIN_DB, admin->sq_pi); /* orders the entry before it */
	spin_unlock_irqrestore(&admin->lock, flags);
	return slot;
}

static void vrnic_admin_wait(struct vrnic_dev *dev, struct vrnic_admin_slot *slot, u16 opcode)
{
	unsigned long deadline = jiffies + VRNIC_ADMIN_TIMEOUT;

	vrnic_admin_poll(dev);
	while (!wait_for_completion_timeout(&slot->done, VRNIC_ADMIN_LOOK_AGAIN)) {
		vrnic_admin_poll(dev);
		if (try_wait_for_completion(&slot->done))
			return;
		vrnic_check_health(dev);
		if (vrnic_is_dead(dev))
			return;
		if (time_after(jiffies, deadline)) {
			vrnic_err(dev, "command 0x%02x got no answer\n", opcode);
			vrnic_kill(dev, "command timed out");
			return;
		}
	}
}

static int vrnic_admin_result(struct vrnic_dev *dev, u16 opcode, const struct vrnic_admin_cpl *cpl)
{
	u16 status = le16_to_cpu(cpl->status);

	if (status == VRNIC_STATUS_OK)
		return 0;
	if (status >= ARRAY_SIZE(vrnic_admin_status)) {
		dev_err_ratelimited(&dev->pdev->dev, "command 0x%02x: unknown status %u\n", opcode,
				    status);
		return -EPROTO;
	}
	/* Users cause these at will: not for the log. */
	dev_dbg(&dev->pdev->dev, "command 0x%02x: %s, detail %u\n", opcode,
		vrnic_admin_status[status].name, le32_to_cpu(cpl->detail));
	return vrnic_admin_status[status].error;
}

/*
 * Carries a command out and copies the answer. Sleeps. -EIO: the device is
 * dead, and reaches memory no more; anything else is the device's answer.
 */
int vrnic_admin_exec(struct vrnic_dev *dev, u16 opcode, const void *cmd, size_t cmd_size,
		     void *resp, size_t resp_size)
{
	struct vrnic_admin *admin = &dev->admin;
	struct vrnic_admin_slot *slot;
	unsigned long flags;
	int ret = -EIO;

	BUILD_BUG_ON(VRNIC_ADMIN_LOG_SIZE > VRNIC_ADMIN_SIZE_MAX_LOG);
	if (WARN_ON_ONCE(cmd_size > sizeof_field(struct vrnic_admin_cmd, payload) ||
			 resp_size > sizeof_field(struct vrnic_admin_cpl, payload)))
		return -EINVAL;
	if (vrnic_is_dead(dev))
		return -EIO;

	down(&admin->free_slots);
	slot = vrnic_admin_submit(dev, opcode, cmd, cmd_size);
	if (slot) {
		vrnic_admin_wait(dev, slot, opcode);
		spin_lock_irqsave(&admin->lock, flags);
		if (slot->answered) {
			ret = vrnic_admin_result(dev, opcode, &slot->cpl);
			if (!ret)
				memcpy(resp, slot->cpl.payload, resp_size);
		}
		slot->busy = false;
		spin_unlock_irqrestore(&admin->lock, flags);
	}
	up(&admin->free_slots);
	return ret;
}

static void vrnic_admin_free(struct vrnic_dev *dev)
{
	struct vrnic_admin *admin = &dev->admin;

	if (admin->sq)
		dma_free_coherent(&dev->pdev->dev, VRNIC_ADMIN_RING_BYTES, admin->sq, admin->sq_dma);
	if (admin->cq)
		dma_free_coherent(&dev->pdev->dev, VRNIC_ADMIN_RING_BYTES, admin->cq, admin->cq_dma);
	admin->sq = NULL;
	admin->cq = NULL;
}

static void vrnic_write_address(struct vrnic_dev *dev, u32 reg_lo, dma_addr_t addr)
{
	vrnic_write(dev, reg_lo, lower_32_bits(addr));
	vrnic_write(dev, reg_lo + 4, upper_32_bits(addr));
}

/* After a reset and after the interrupt of vector 0 was requested. */
int vrnic_admin_start(struct vrnic_dev *dev)
{
	struct vrnic_admin *admin = &dev->admin;
	unsigned int i;

	admin->sq = dma_alloc_coherent(&dev->pdev->dev, VRNIC_ADMIN_RING_BYTES, &admin->sq_dma,
				       GFP_KERNEL);
	admin->cq = dma_alloc_coherent(&dev->pdev->dev, VRNIC_ADMIN_RING_BYTES, &admin->cq_dma,
				       GFP_KERNEL);
	if (!admin->sq || !admin->cq) {
		vrnic_admin_free(dev);
		return -ENOMEM;
	}
	sema_init(&admin->free_slots, VRNIC_ADMIN_ENTRIES);
	for (i = 0; i < VRNIC_ADMIN_ENTRIES; i++) {
		init_completion(&admin->slots[i].done);
		admin->slots[i].busy = false;
	}
	admin->sq_pi = 0;
	admin->cq_ci = 0;

	vrnic_write_address(dev, VRNIC_REG_ADMIN_SQ_LO, admin->sq_dma);
	vrnic_write_address(dev, VRNIC_REG_ADMIN_CQ_LO, admin->cq_dma);
	vrnic_write(dev, VRNIC_REG_ADMIN_SIZE, VRNIC_ADMIN_LOG_SIZE);
	vrnic_write(dev, VRNIC_REG_ADMIN_VECTOR, VRNIC_ASYNC_EQ);
	vrnic_write(dev, VRNIC_REG_ADMIN_ENABLE, 1);

	spin_lock_irq(&admin->lock);
	admin->running = true;
	spin_unlock_irq(&admin->lock);
	return 0;
}

/* After everybody who gives commands is gone, and the device was reset or is dead. */
void vrnic_admin_stop(struct vrnic_dev *dev)
{
	spin_lock_irq(&dev->admin.lock);
	dev->admin.running = false;
	spin_unlock_irq(&dev->admin.lock);
	vrnic_admin_free(dev);
}
