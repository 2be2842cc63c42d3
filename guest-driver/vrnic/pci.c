// SPDX-License-Identifier: GPL-2.0
/* BARs, identity, reset. */
#include <linux/delay.h>
#include <linux/dma-mapping.h>

#include "vrnic.h"

#define VRNIC_CLOCK_PAGE 0x1000 /* VRNIC_REG_CLOCK is alone there */

/* Time for a reset. The device has it done at once; a busy host may take longer. */
#define VRNIC_RESET_TIMEOUT_MS 10000

static int vrnic_check_identity(struct vrnic_dev *dev)
{
	u32 id = vrnic_read(dev, VRNIC_REG_ID);
	u32 abi = vrnic_read(dev, VRNIC_REG_ABI);
	u32 major = abi >> 16, minor = abi & 0xffff;

	if (id != VRNIC_ID) {
		vrnic_err(dev, "not a vrnic: identity register reads 0x%08x\n", id);
		return -ENODEV;
	}
	if (major != VRNIC_ABI_MAJOR || minor < VRNIC_ABI_MINOR) {
		vrnic_err(dev, "device speaks ABI %u.%u, this driver needs %u.%u or a later %u.x: use matching versions\n",
			  major, minor, VRNIC_ABI_MAJOR, VRNIC_ABI_MINOR, VRNIC_ABI_MAJOR);
		return -ENODEV;
	}
	return 0;
}

static int vrnic_check_doorbells(struct vrnic_dev *dev)
{
	resource_size_t size = pci_resource_len(dev->pdev, VRNIC_BAR_DOORBELL);

	dev->doorbell_shift = vrnic_read(dev, VRNIC_REG_DB_STRIDE);
	dev->doorbell_slots = vrnic_read(dev, VRNIC_REG_DB_COUNT);

	/* A context maps whole pages, and must not reach its neighbour's slot. */
	if (dev->doorbell_shift < PAGE_SHIFT || dev->doorbell_shift > 30) {
		vrnic_err(dev, "doorbell slots of 2^%u bytes do not suit pages of 2^%u\n",
			  dev->doorbell_shift, PAGE_SHIFT);
		return -ENODEV;
	}
	if (!dev->doorbell_slots || dev->doorbell_slots > size >> dev->doorbell_shift) {
		vrnic_err(dev, "%u doorbell slots do not fit BAR %d\n", dev->doorbell_slots,
			  VRNIC_BAR_DOORBELL);
		return -ENODEV;
	}
	return 0;
}

int vrnic_pci_init(struct vrnic_dev *dev)
{
	struct pci_dev *pdev = dev->pdev;
	int ret;

	ret = pci_enable_device_mem(pdev);
	if (ret) {
		vrnic_err(dev, "cannot enable the PCI device: %d\n", ret);
		return ret;
	}
	ret = pci_request_mem_regions(pdev, VRNIC_DRIVER_NAME);
	if (ret)
		goto disable;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret) {
		vrnic_err(dev, "no 64-bit DMA: %d\n", ret);
		goto release;
	}
	/* Pinned user memory may be one long range. */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);

	if (pci_resource_len(pdev, VRNIC_BAR_REGS) < VRNIC_BAR_REGS_SIZE) {
		vrnic_err(dev, "BAR %d is too small\n", VRNIC_BAR_REGS);
		ret = -ENODEV;
		goto release;
	}
	dev->regs = pci_ioremap_bar(pdev, VRNIC_BAR_REGS);
	if (!dev->regs) {
		ret = -ENOMEM;
		goto release;
	}
	ret = vrnic_check_identity(dev);
	if (ret)
		goto unmap_regs;
	ret = vrnic_check_doorbells(dev);
	if (ret)
		goto unmap_regs;

	dev->doorbell_base = pci_resource_start(pdev, VRNIC_BAR_DOORBELL);
	dev->doorbell = ioremap(dev->doorbell_base, PAGE_SIZE);
	if (!dev->doorbell) {
		ret = -ENOMEM;
		goto unmap_regs;
	}
	return 0;

unmap_regs:
	iounmap(dev->regs);
release:
	pci_release_mem_regions(pdev);
disable:
	pci_disable_device(pdev);
	return ret;
}

void vrnic_pci_cleanup(struct vrnic_dev *dev)
{
	iounmap(dev->doorbell);
	iounmap(dev->regs);
	pci_release_mem_regions(dev->pdev);
	pci_disable_device(dev->pdev);
}

/*
 * Unplugged, or without power. Real hardware then reads as all ones, QEMU's
 * unmapped BARs as zeros: so ask for the one register whose value we know.
 */
bool vrnic_is_gone(const struct vrnic_dev *dev)
{
	return vrnic_read(dev, VRNIC_REG_ID) != VRNIC_ID;
}

/* Ends every object, DMA and interrupt of the device. Sleeps. */
int vrnic_reset(struct vrnic_dev *dev)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(VRNIC_RESET_TIMEOUT_MS);
	u32 status;

	vrnic_write(dev, VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
	for (;;) {
		if (vrnic_is_gone(dev))
			return -ENODEV;
		status = vrnic_read(dev, VRNIC_REG_STATUS);
		if (status & VRNIC_STATUS_READY && !(status & VRNIC_STATUS_FATAL))
			return 0;
		if (time_after(jiffies, deadline))
			break;
		usleep_range(1000, 2000);
	}
	vrnic_err(dev, "no answer to a reset, status 0x%x\n", status);
	return -ETIMEDOUT;
}

void vrnic_ring_doorbell(struct vrnic_dev *dev, u32 type, u32 number)
{
	writeq((u64)type << VRNIC_DB_TYPE_SHIFT | number, dev->doorbell);
}
EXPORT_SYMBOL_GPL(vrnic_ring_doorbell);

phys_addr_t vrnic_uar_address(const struct vrnic_dev *dev, u32 uar)
{
	return dev->doorbell_base + ((phys_addr_t)uar << dev->doorbell_shift);
}
EXPORT_SYMBOL_GPL(vrnic_uar_address);

size_t vrnic_uar_size(const struct vrnic_dev *dev)
{
	return (size_t)1 << dev->doorbell_shift;
}
EXPORT_SYMBOL_GPL(vrnic_uar_size);

phys_addr_t vrnic_clock_address(const struct vrnic_dev *dev)
{
	/* A larger page would show the other registers, too. */
	if (PAGE_SIZE > VRNIC_CLOCK_PAGE)
		return 0;
	return pci_resource_start(dev->pdev, VRNIC_BAR_REGS) +
	       round_down(VRNIC_REG_CLOCK, VRNIC_CLOCK_PAGE);
}
EXPORT_SYMBOL_GPL(vrnic_clock_address);
