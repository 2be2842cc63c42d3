/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loader finds: the one symbol this object exports. */
#include "qemu/osdep.h"
#include "qemu/qemu-plugin.h"

#include "device.h"
#include "glue_interface.h"

static int enter(void)
{
	static bool registered; /* as plugin and as preload at once */

	if (registered)
		return 0;
	if (!vrnic_layout_fits()) {
		fprintf(stderr, "; refused, works with %s of the distribution it was built on\n", QEMU_VERSION);
		return -1;
	}
	vrnic_warn_if_untested();
	vrnic_register_type();
	registered = true;
	return 0;
}

__attribute__((visibility("default"))) const struct vrnic_glue vrnic_glue = {
	.interface = VRNIC_GLUE_INTERFACE,
	.plugin_api = QEMU_PLUGIN_VERSION,
	.built_for = QEMU_VERSION,
	.enter = enter,
};
