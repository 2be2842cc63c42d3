// SPDX-License-Identifier: GPL-2.0
/*
 * Breaks its kernel on purpose: so the runner's verdicts are tested, and that the debug kernel
 * finds what it is there for.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/irqflags.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "what to do, see the table");

/* What the compiler cannot see through. */
static volatile int always_64 = 64;

static void do_oops(void)
{
	*(volatile int *)8 = 1;
}

static void do_hang(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void do_warn(void)
{
	WARN(1, "a warning on purpose\n");
}

/* More than one: a pointer may stay on some stack for a while. */
static void do_leak(void)
{
	for (int i = 0; i < 16; i++)
		memset(kmalloc(200, GFP_KERNEL), i, 200);
}

static void do_use_after_free(void)
{
	char *memory = kmalloc(always_64, GFP_KERNEL);

	kfree(memory);
	*(volatile char *)memory = 1;
}

static void do_out_of_bounds(void)
{
	char *memory = kmalloc(always_64, GFP_KERNEL);

	((volatile char *)memory)[always_64] = 1;
	kfree(memory);
}

static void do_lock_order(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void do_sleep(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	msleep(1);
	spin_unlock(&lock);
}

static void do_list(void)
{
	static LIST_HEAD(head);
	static struct list_head entry;

	list_add(&entry, &head);
	list_add(&entry, &head);
}

static void do_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(1);

	refcount_set(&count, 0);
	refcount_inc(&count);
}

static void do_shift(void)
{
	always_64 = 1 << always_64;
}

static void timer_ends(struct timer_list *timer)
{
}

static void do_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	timer_setup(timer, timer_ends, 0);
	mod_timer(timer, jiffies + HZ);
	kfree(timer);
}

static void do_dma(void)
{
	struct pci_dev *device = pci_get_device(0x1234, 0x5652, NULL);

	dma_unmap_single(&device->dev, 0x1000, 64, DMA_TO_DEVICE);
	pci_dev_put(device);
}

static const struct {
	const char *name;
	void (*act)(void);
} faults[] = {
	{ "oops", do_oops },
	{ "hang", do_hang },
	{ "warn", do_warn },
	{ "leak", do_leak },
	{ "use-after-free", do_use_after_free },
	{ "out-of-bounds", do_out_of_bounds },
	{ "lock-order", do_lock_order },
	{ "sleep", do_sleep },
	{ "list", do_list },
	{ "refcount", do_refcount },
	{ "shift", do_shift },
	{ "timer", do_timer },
	{ "dma", do_dma },
};

static int __init vrnic_faults_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(fault, faults[i].name))
			faults[i].act();
	}
	/* What leaked is named by its functions only as long as the module is there. */
	return strcmp(fault, "leak") ? -EINVAL : 0;
}
module_init(vrnic_faults_init);

MODULE_DESCRIPTION("Faults for the tests of vrnic's runner");
MODULE_LICENSE("GPL");
