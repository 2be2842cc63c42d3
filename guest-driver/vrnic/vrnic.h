/* SPDX-License-Identifier: GPL-2.0 */
/* Inside vrnic.ko: the device and its parts. */
#ifndef VRNIC_H
#define VRNIC_H

#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "vrnic_core.h"

#define VRNIC_DRIVER_NAME "vrnic"

/* ---- admin queue (admin.c) ---- */

#define VRNIC_ADMIN_LOG_SIZE 6
#define VRNIC_ADMIN_ENTRIES (1 << VRNIC_ADMIN_LOG_SIZE)

/* A command under way. Its tag is generation << VRNIC_ADMIN_LOG_SIZE | slot. */
struct vrnic_admin_slot {
	struct completion done;
	u16 tag;
	bool busy;
	bool answered; /* cpl is the device's answer; else the device died */
	struct vrnic_admin_cpl cpl;
};

struct vrnic_admin {
	struct semaphore free_slots;
	spinlock_t lock; /* all below; taken in interrupts */
	bool running;
	u32 sq_pi;
	u32 cq_ci;
	u16 generation;
	struct vrnic_admin_cmd *sq;
	struct vrnic_admin_cpl *cq;
	dma_addr_t sq_dma;
	dma_addr_t cq_dma;
	struct vrnic_admin_slot slots[VRNIC_ADMIN_ENTRIES];
};

/* ---- event queues (eq.c) ---- */

#define VRNIC_ASYNC_EQ 0

struct vrnic_eq {
	struct vrnic_dev *dev;
	u32 eqn; /* also its vector; 0 is the asynchronous one */
	spinlock_t lock; /* ci and created */
	u64 ci;
	bool created;
	u32 log_size;
	struct vrnic_eqe *ring;
	dma_addr_t ring_dma;
	size_t ring_bytes; /* allocated */
	bool irq_requested;
	char name[32]; /* in /proc/interrupts */
};

/* ---- the device ---- */

/* Where the device writes the answers to queries. */
union vrnic_answer {
	struct vrnic_counters counters;
	u8 context[VRNIC_CONTEXT_MAX_SIZE];
};

struct vrnic_dev {
	struct pci_dev *pdev;
	void __iomem *regs;	 /* BAR 0 */
	void __iomem *doorbell;	 /* slot 0 of BAR 2 */
	phys_addr_t doorbell_base; /* bus address of BAR 2, as the CPU sees it */
	u32 doorbell_shift;	 /* log2 of the slot size */
	u32 doorbell_slots;

	struct vrnic_device_caps *caps; /* device-written, constant once queried */
	dma_addr_t caps_dma;

	const char *death; /* why it died last; NULL: never did */
	bool dead; /* see vrnic_core.h; written once, by vrnic_kill */
	struct work_struct recover_work;
	struct delayed_work health_work; /* while started */
	struct mutex lifecycle; /* start, stop, remove */
	bool started;
	bool removing;
	unsigned int recoveries;

	struct vrnic_admin admin;

	struct vrnic_eq eqs[VRNIC_MAX_EQS];
	unsigned int num_eqs; /* with the asynchronous one */

	struct xarray cq_handlers; /* CQN to struct vrnic_cq_handler */
	struct vrnic_async_client __rcu *async_client;

	struct mutex answer_lock; /* the buffer below */
	union vrnic_answer *answer;
	dma_addr_t answer_dma;

	struct net_device *netdev;
	struct vrnic_aux *aux;
	struct devlink *devlink;
	struct devlink_health_reporter *reporter; /* NULL: none yet, or no devlink */
};

#define vrnic_err(vdev, fmt, ...) dev_err(&(vdev)->pdev->dev, fmt, ##__VA_ARGS__)
#define vrnic_warn(vdev, fmt, ...) dev_warn(&(vdev)->pdev->dev, fmt, ##__VA_ARGS__)
#define vrnic_info(vdev, fmt, ...) dev_info(&(vdev)->pdev->dev, fmt, ##__VA_ARGS__)

static inline u32 vrnic_read(const struct vrnic_dev *dev, u32 reg)
{
	return readl(dev->regs + reg);
}

static inline void vrnic_write(struct vrnic_dev *dev, u32 reg, u32 value)
{
	writel(value, dev->regs + reg);
}

/* pci.c: BARs, identity, reset */
int vrnic_pci_init(struct vrnic_dev *dev);
void vrnic_pci_cleanup(struct vrnic_dev *dev);
int vrnic_reset(struct vrnic_dev *dev);
bool vrnic_is_gone(const struct vrnic_dev *dev);

/* main.c, beyond vrnic_core.h */
void vrnic_pause(struct vrnic_dev *dev);
int vrnic_resume(struct vrnic_dev *dev);
int vrnic_restart(struct vrnic_dev *dev);

/* health.c */
void vrnic_check_health(struct vrnic_dev *dev);
void vrnic_health_init(struct vrnic_dev *dev);
void vrnic_health_start(struct vrnic_dev *dev);
void vrnic_health_stop(struct vrnic_dev *dev);

/* admin.c */
int vrnic_admin_start(struct vrnic_dev *dev);
void vrnic_admin_stop(struct vrnic_dev *dev);
void vrnic_admin_poll(struct vrnic_dev *dev);
void vrnic_admin_fail_all(struct vrnic_dev *dev);
int vrnic_admin_exec(struct vrnic_dev *dev, u16 opcode, const void *cmd, size_t cmd_size,
		     void *resp, size_t resp_size);

/* cmd.c, beyond those in vrnic_core.h */
int vrnic_cmd_query_device(struct vrnic_dev *dev);
int vrnic_cmd_create_eq(struct vrnic_dev *dev, const struct vrnic_cmd_create_eq *cmd);
int vrnic_cmd_destroy_eq(struct vrnic_dev *dev, u32 eqn);
int vrnic_cmd_create_eth_queue(struct vrnic_dev *dev, const struct vrnic_cmd_create_eth_queue *cmd,
			       u32 *number);
int vrnic_cmd_destroy_eth_queue(struct vrnic_dev *dev, u32 number);
int vrnic_cmd_set_port(struct vrnic_dev *dev, const struct vrnic_cmd_set_port *cmd);

/* eq.c */
int vrnic_irqs_start(struct vrnic_dev *dev);
void vrnic_irqs_stop(struct vrnic_dev *dev);
int vrnic_eqs_start(struct vrnic_dev *dev);
void vrnic_eqs_stop(struct vrnic_dev *dev);
void vrnic_async_to_client(struct vrnic_dev *dev, u32 type, u32 number, u32 code);
void vrnic_async_event(struct vrnic_dev *dev, u32 type, u32 number, u32 code);

/* cq.c */
void vrnic_cq_complete(struct vrnic_dev *dev, u32 cqn);
void vrnic_cq_error(struct vrnic_dev *dev, u32 cqn, u32 syndrome);

/* netdev.c */
int vrnic_netdev_register(struct vrnic_dev *dev);
void vrnic_netdev_unregister(struct vrnic_dev *dev);
void vrnic_netdev_detach(struct vrnic_dev *dev);
int vrnic_netdev_attach(struct vrnic_dev *dev);
void vrnic_netdev_link(struct vrnic_dev *dev, bool up);
void vrnic_netdev_sync_link(struct vrnic_dev *dev);

/* aux.c */
int vrnic_aux_add(struct vrnic_dev *dev);
void vrnic_aux_remove(struct vrnic_dev *dev);

/* devlink.c, reporter.c */
#if IS_ENABLED(CONFIG_NET_DEVLINK)
int vrnic_devlink_register(struct vrnic_dev *dev);
void vrnic_devlink_unregister(struct vrnic_dev *dev);
int vrnic_reporter_create(struct vrnic_dev *dev);
void vrnic_reporter_destroy(struct vrnic_dev *dev);
void vrnic_report_death(struct vrnic_dev *dev);
void vrnic_report_health(struct vrnic_dev *dev);
#else
static inline int vrnic_devlink_register(struct vrnic_dev *dev)
{
	return 0;
}

static inline void vrnic_devlink_unregister(struct vrnic_dev *dev)
{
}

static inline void vrnic_report_death(struct vrnic_dev *dev)
{
	vrnic_restart(dev);
}

static inline void vrnic_report_health(struct vrnic_dev *dev)
{
}
#endif

#endif /* VRNIC_H */
