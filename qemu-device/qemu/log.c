/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics. With "-d guest_errors" every line goes to QEMU's log; without it
 * stderr shows them at a bounded rate, because the people who need them most do
 * not know that switch, and a guest must not be able to fill a disk.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"

#include "device.h"

enum { LINES_AT_ONCE = 20 };
#define REFILL_NS 1000000000ll /* one more line */

static bool take_line(struct vrnic_log_budget *budget)
{
	int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
	int64_t refill;

	if (!budget->refilled) {
		budget->refilled = now;
		budget->lines = LINES_AT_ONCE;
	}
	refill = (now - budget->refilled) / REFILL_NS;
	if (refill > 0) {
		budget->refilled += refill * REFILL_NS;
		budget->lines = MIN(LINES_AT_ONCE, budget->lines + MIN(refill, LINES_AT_ONCE));
	}
	if (!budget->lines) {
		budget->held_back++;
		return false;
	}
	budget->lines--;
	return true;
}

void vrnic_log_line(VrnicState *s, enum vrnic_log level, const char *line, size_t length)
{
	const char *id = DEVICE(s)->id ? DEVICE(s)->id : "vrnic";
	int shown = (int)MIN(length, 1024);
	struct vrnic_log_budget *budget =
		level == VRNIC_LOG_FAULT ? &s->fault_log_budget : &s->log_budget;

	if (level != VRNIC_LOG_INFO && qemu_loglevel_mask(LOG_GUEST_ERROR)) {
		qemu_log("vrnic %s: %.*s\n", id, shown, line);
		return;
	}
	if (!take_line(budget))
		return;
	if (budget->held_back)
		warn_report("vrnic %s: %" PRIu64 " lines were held back (-d guest_errors shows all)", id,
			    budget->held_back);
	budget->held_back = 0;
	if (level == VRNIC_LOG_GUEST_ERROR)
		warn_report("vrnic %s: %.*s", id, shown, line);
	else
		info_report("vrnic %s: %.*s", id, shown, line);
}
