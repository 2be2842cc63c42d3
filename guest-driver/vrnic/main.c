// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a device: probe, start, stop, remove; death and recovery.
 *
 * probe:   BARs, identity, memory that lasts; then start; then the netdev.
 * start:   reset, interrupts, admin queue, capabilities, event queues; then the
 *          netdev is attached and the RDMA function added.
 * stop:    the same backwards. It ends with a reset and bus mastering off, so
 *          that no DMA follows.
 * A dead device is reported by recover_work (reporter.c), which has it stopped and
 * started again, unless it is gone.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>

#include "vrnic.h"

/* Somebody who breaks the device on purpose should not keep us busy for ever. */
#define VRNIC_MAX_RECOVERIES 100

const struct vrnic_device_caps *vrnic_caps(const struct vrnic_dev *dev)
{
	return dev->caps;
}
EXPORT_SYMBOL_GPL(vrnic_caps);

struct net_device *vrnic_netdev(const struct vrnic_dev *dev)
{
	return dev->netdev;
}
EXPORT_SYMBOL_GPL(vrnic_netdev);

struct device *vrnic_dma_device(const struct vrnic_dev *dev)
{
	return &dev->pdev->dev;
}
EXPORT_SYMBOL_GPL(vrnic_dma_device);

void vrnic_format_version(const struct vrnic_device_caps *caps, char *text)
{
	u32 version = le32_to_cpu(caps->fw_version);

	snprintf(text, VRNIC_VERSION_LEN, "%u.%u.%u", version >> 16, version >> 8 & 0xff,
		 version & 0xff);
}
EXPORT_SYMBOL_GPL(vrnic_format_version);

bool vrnic_is_dead(const struct vrnic_dev *dev)
{
	return smp_load_acquire(&dev->dead);
}
EXPORT_SYMBOL_GPL(vrnic_is_dead);

/*
 * The order matters. First the device loses its access to memory, then it is
 * seen dead, then those who wait for it return: whoever learns of the death may
 * free what the device knew of.
 */
static void vrnic_declare_dead(struct vrnic_dev *dev)
{
	pci_clear_master(dev->pdev);
	smp_store_release(&dev->dead, true);
	vrnic_admin_fail_all(dev);
}

void vrnic_kill(struct vrnic_dev *dev, const char *why)
{
	if (vrnic_is_dead(dev))
		return;
	vrnic_err(dev, "device given up: %s (status 0x%x, fatal %u)\n", why,
		  vrnic_read(dev, VRNIC_REG_STATUS), vrnic_read(dev, VRNIC_REG_FATAL));
	dev->death = why;
	vrnic_declare_dead(dev);
	vrnic_netdev_link(dev, false);
	vrnic_async_to_client(dev, VRNIC_EVENT_DEVICE_FATAL, 0, 0);
	schedule_work(&dev->recover_work);
}
EXPORT_SYMBOL_GPL(vrnic_kill);

/* ---- start and stop; lifecycle is held ---- */

static int vrnic_start(struct vrnic_dev *dev)
{
	int ret;

	pci_set_master(dev->pdev);
	ret = vrnic_reset(dev);
	if (ret)
		goto no_master;
	ret = vrnic_irqs_start(dev);
	if (ret)
		goto no_master;
	ret = vrnic_admin_start(dev);
	if (ret)
		goto stop_irqs;
	smp_store_release(&dev->dead, false);

	ret = vrnic_cmd_query_device(dev);
	if (ret) {
		vrnic_err(dev, "capabilities: %d\n", ret);
		goto stop_admin;
	}
	ret = vrnic_eqs_start(dev);
	if (ret)
		goto stop_admin;
	vrnic_health_start(dev);
	return 0;

stop_admin:
	vrnic_declare_dead(dev);
	vrnic_reset(dev);
	vrnic_admin_stop(dev);
stop_irqs:
	vrnic_irqs_stop(dev);
no_master:
	pci_clear_master(dev->pdev);
	return ret;
}

static void vrnic_stop(struct vrnic_dev *dev)
{
	vrnic_health_stop(dev);
	vrnic_eqs_stop(dev);
	vrnic_declare_dead(dev);
	vrnic_reset(dev);
	vrnic_irqs_stop(dev);
	vrnic_admin_stop(dev);
}

/* The functions, Ethernet and RDMA, onto the started device. */
static int vrnic_up(struct vrnic_dev *dev)
{
	int ret;

	ret = vrnic_start(dev);
	if (ret)
		return ret;
	dev->started = true;

	if (dev->netdev)
		ret = vrnic_netdev_attach(dev);
	else
		ret = vrnic_netdev_register(dev);
	if (ret)
		return ret;
	return vrnic_aux_add(dev);
}

static void vrnic_down(struct vrnic_dev *dev)
{
	vrnic_aux_remove(dev);
	if (dev->netdev)
		vrnic_netdev_detach(dev);
	if (dev->started)
		vrnic_stop(dev);
	dev->started = false;
}

/* Of a dead device; nothing is done to a live one, or to one that goes. */
int vrnic_restart(struct vrnic_dev *dev)
{
	int ret = 0;

	mutex_lock(&dev->lifecycle);
	if (dev->removing || !vrnic_is_dead(dev))
		goto unlock;
	vrnic_down(dev);
	if (vrnic_is_gone(dev)) {
		ret = -ENODEV; /* unplugged: remove comes */
		goto unlock;
	}
	ret = vrnic_up(dev);
	if (ret) {
		vrnic_err(dev, "cannot restart: %d\n", ret);
		vrnic_down(dev);
	} else {
		vrnic_info(dev, "restarted\n");
	}
unlock:
	mutex_unlock(&dev->lifecycle);
	return ret;
}

static void vrnic_recover(struct work_struct *work)
{
	struct vrnic_dev *dev = container_of(work, struct vrnic_dev, recover_work);
	bool wanted;

	/* vrnic_remove waits for this work after it has said so. */
	mutex_lock(&dev->lifecycle);
	wanted = !dev->removing && dev->started && vrnic_is_dead(dev);
	mutex_unlock(&dev->lifecycle);
	if (!wanted)
		return;
	if (dev->recoveries == VRNIC_MAX_RECOVERIES) {
		vrnic_err(dev, "too many failures, staying down\n");
		return;
	}
	dev->recoveries++;
	vrnic_report_death(dev);
}

/* ---- PCI ---- */

static void vrnic_free_buffers(struct vrnic_dev *dev)
{
	if (dev->caps)
		dma_free_coherent(&dev->pdev->dev, sizeof(*dev->caps), dev->caps, dev->caps_dma);
	if (dev->answer)
		dma_free_coherent(&dev->pdev->dev, sizeof(*dev->answer), dev->answer,
				  dev->answer_dma);
}

static int vrnic_alloc_buffers(struct vrnic_dev *dev)
{
	dev->caps = dma_alloc_coherent(&dev->pdev->dev, sizeof(*dev->caps), &dev->caps_dma,
				       GFP_KERNEL);
	dev->answer = dma_alloc_coherent(&dev->pdev->dev, sizeof(*dev->answer), &dev->answer_dma,
					 GFP_KERNEL);
	if (dev->caps && dev->answer)
		return 0;
	vrnic_free_buffers(dev);
	return -ENOMEM;
}

static int vrnic_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	char version[VRNIC_VERSION_LEN];
	struct vrnic_dev *dev;
	int ret;

	dev = kvzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	dev->pdev = pdev;
	dev->dead = true;
	INIT_WORK(&dev->recover_work, vrnic_recover);
	vrnic_health_init(dev);
	mutex_init(&dev->lifecycle);
	mutex_init(&dev->answer_lock);
	spin_lock_init(&dev->admin.lock);
	xa_init(&dev->cq_handlers);
	pci_set_drvdata(pdev, dev);

	ret = vrnic_pci_init(dev);
	if (ret)
		goto free_dev;
	ret = vrnic_alloc_buffers(dev);
	if (ret)
		goto cleanup_pci;

	mutex_lock(&dev->lifecycle);
	ret = vrnic_up(dev);
	if (ret) {
		dev->removing = true;
		vrnic_down(dev);
	}
	mutex_unlock(&dev->lifecycle);
	if (ret)
		goto free_netdev;
	ret = vrnic_devlink_register(dev);
	if (ret)
		goto stop;

	vrnic_format_version(dev->caps, version);
	vrnic_info(dev, "device %s, %u event queues, %s\n", version, dev->num_eqs,
		   dev->aux ? "Ethernet and RDMA" : "Ethernet");
	return 0;

stop:
	mutex_lock(&dev->lifecycle);
	dev->removing = true;
	vrnic_down(dev);
	mutex_unlock(&dev->lifecycle);
free_netdev:
	cancel_work_sync(&dev->recover_work);
	vrnic_netdev_unregister(dev);
	vrnic_free_buffers(dev);
cleanup_pci:
	vrnic_pci_cleanup(dev);
free_dev:
	kvfree(dev);
	return ret;
}

static void vrnic_remove(struct pci_dev *pdev)
{
	struct vrnic_dev *dev = pci_get_drvdata(pdev);

	/* Unplugged by surprise: nothing will answer any more. */
	if (vrnic_is_gone(dev))
		vrnic_declare_dead(dev);

	mutex_lock(&dev->lifecycle);
	dev->removing = true;
	mutex_unlock(&dev->lifecycle);
	cancel_work_sync(&dev->recover_work); /* it reports to what goes now, if it had begun */

	vrnic_devlink_unregister(dev);
	vrnic_aux_remove(dev);
	vrnic_netdev_unregister(dev);
	vrnic_down(dev);
	cancel_work_sync(&dev->recover_work); /* dead now: it is not started again */
	xa_destroy(&dev->cq_handlers);
	vrnic_free_buffers(dev);
	vrnic_pci_cleanup(dev);
	kvfree(dev);
}

/* Before a reboot or another kernel: the device must not write any more. */
static void vrnic_shutdown(struct pci_dev *pdev)
{
	struct vrnic_dev *dev = pci_get_drvdata(pdev);

	mutex_lock(&dev->lifecycle);
	dev->removing = true;
	mutex_unlock(&dev->lifecycle);
	vrnic_declare_dead(dev);
	vrnic_reset(dev);
}

/* ---- interruptions from outside: a PCI reset, a reload, sleep; the device forgets everything ---- */

void vrnic_pause(struct vrnic_dev *dev)
{
	mutex_lock(&dev->lifecycle);
	vrnic_down(dev);
	mutex_unlock(&dev->lifecycle);
}

int vrnic_resume(struct vrnic_dev *dev)
{
	int ret;

	mutex_lock(&dev->lifecycle);
	ret = vrnic_up(dev);
	if (ret) {
		vrnic_err(dev, "cannot restart: %d\n", ret);
		vrnic_down(dev);
	}
	mutex_unlock(&dev->lifecycle);
	if (!ret)
		vrnic_report_health(dev);
	return ret;
}

static void vrnic_reset_prepare(struct pci_dev *pdev)
{
	vrnic_pause(pci_get_drvdata(pdev));
}

static void vrnic_reset_done(struct pci_dev *pdev)
{
	vrnic_resume(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers vrnic_error_handlers = {
	.reset_prepare = vrnic_reset_prepare,
	.reset_done = vrnic_reset_done,
};

static int vrnic_pm_suspend(struct device *device)
{
	vrnic_pause(dev_get_drvdata(device));
	return 0;
}

static int vrnic_pm_resume(struct device *device)
{
	return vrnic_resume(dev_get_drvdata(device));
}

static DEFINE_SIMPLE_DEV_PM_OPS(vrnic_pm_ops, vrnic_pm_suspend, vrnic_pm_resume);

static const struct pci_device_id vrnic_ids[] = {
	{ PCI_DEVICE(VRNIC_PCI_VENDOR_ID, VRNIC_PCI_DEVICE_ID) },
	{}
};
MODULE_DEVICE_TABLE(pci, vrnic_ids);

static struct pci_driver vrnic_driver = {
	.name = VRNIC_DRIVER_NAME,
	.id_table = vrnic_ids,
	.probe = vrnic_probe,
	.remove = vrnic_remove,
	.shutdown = vrnic_shutdown,
	.err_handler = &vrnic_error_handlers,
	.driver.pm = pm_sleep_ptr(&vrnic_pm_ops),
};
module_pci_driver(vrnic_driver);

MODULE_DESCRIPTION("vrnic RDMA NIC: PCI and Ethernet");
MODULE_SOFTDEP("post: vrnic_ib");
MODULE_LICENSE("GPL");
