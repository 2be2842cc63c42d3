/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vrnic.so (the loader) finds in vrnic-qemu-MAJOR.MINOR.so (the device
 * built for one QEMU release). No QEMU type appears here.
 */
#ifndef VRNIC_GLUE_INTERFACE_H
#define VRNIC_GLUE_INTERFACE_H

#define VRNIC_GLUE_SYMBOL "vrnic_glue"
#define VRNIC_GLUE_INTERFACE 1

struct vrnic_glue {
	int interface;     /* VRNIC_GLUE_INTERFACE */
	int plugin_api;    /* QEMU_PLUGIN_VERSION of the QEMU it was built for */
	const char *built_for; /* that QEMU's version */

	/*
	 * Checks that the running QEMU is laid out as the one built for, and then
	 * registers the device type. Called once QOM is up. A second call does nothing.
	 * Returns 0, or -1 after one line on stderr; then nothing was registered.
	 */
	int (*enter)(void);
};

#endif /* VRNIC_GLUE_INTERFACE_H */
