// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/dmabuf_mover: who writes the number of one of its dma-buf descriptors has its importers told
 * that the buffer moves. udmabuf itself never moves anything.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static ssize_t dmabuf_mover_write(struct file *file, const char __user *text, size_t size,
				  loff_t *offset)
{
	struct dma_buf *buffer;
	int fd, ret;

	ret = kstrtoint_from_user(text, size, 10, &fd);
	if (ret)
		return ret;
	buffer = dma_buf_get(fd);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	dma_resv_lock(buffer->resv, NULL);
	dma_buf_move_notify(buffer);
	dma_resv_unlock(buffer->resv);
	dma_buf_put(buffer);
	return size;
}

static const struct file_operations dmabuf_mover_operations = {
	.owner = THIS_MODULE,
	.write = dmabuf_mover_write,
};

static struct miscdevice dmabuf_mover = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf_mover",
	.fops = &dmabuf_mover_operations,
	.mode = 0600,
};
module_misc_device(dmabuf_mover);

MODULE_DESCRIPTION("Moves dma-buf buffers on request, for tests");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
