// SPDX-License-Identifier: GPL-2.0
/* Breaks its kernel on purpose, so that the runner's verdicts can be tested. */
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/string.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "oops, hang or warn");

static int __init vrnic_faults_init(void)
{
	if (!strcmp(fault, "oops"))
		*(volatile int *)8 = 1;
	if (!strcmp(fault, "hang")) {
		local_irq_disable();
		for (;;)
			cpu_relax();
	}
	WARN(!strcmp(fault, "warn"), "a warning on purpose\n");
	return -EINVAL;
}
module_init(vrnic_faults_init);

MODULE_DESCRIPTION("Faults for the tests of vrnic's runner");
MODULE_LICENSE("GPL");
