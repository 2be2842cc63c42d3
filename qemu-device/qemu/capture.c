/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a capture is written to its file: now and then, so that a person can look
 * while the machine runs or stands, and before QEMU ends.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"

#include "device.h"

enum { FLUSH_MS = 200 };

static void flush_and_go_on(void *opaque)
{
	VrnicState *s = opaque;
	char file[2];

	if (!s->bridge)
		return;
	vrnic_bridge_flush_capture(s->bridge);
	vrnic_bridge_capture(s->bridge, file, sizeof(file));
	if (*file)
		timer_mod(s->capture_timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + FLUSH_MS);
}

static void qemu_ends(Notifier *notifier, void *data)
{
	VrnicState *s = container_of(notifier, VrnicState, exit_notifier);

	if (s->bridge)
		vrnic_bridge_flush_capture(s->bridge);
}

void vrnic_capture_create(VrnicState *s)
{
	s->capture_timer = timer_new_ms(QEMU_CLOCK_REALTIME, flush_and_go_on, s);
	s->exit_notifier.notify = qemu_ends;
	qemu_add_exit_notifier(&s->exit_notifier);
}

bool vrnic_capture_start(VrnicState *s, const char *file, Error **errp)
{
	const char *name = DEVICE(s)->id ? DEVICE(s)->id : "vrnic";
	char error[512];

	if (!vrnic_bridge_set_capture(s->bridge, file, name, error, sizeof(error))) {
		error_setg(errp, "%s", error);
		return false;
	}
	flush_and_go_on(s);
	return true;
}

void vrnic_capture_free(VrnicState *s)
{
	if (!s->capture_timer)
		return;
	timer_free(s->capture_timer);
	s->capture_timer = NULL;
	qemu_remove_exit_notifier(&s->exit_notifier);
}
