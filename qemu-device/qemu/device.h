/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QOM object "vrnic"; shared by the files of this folder. */
#ifndef VRNIC_DEVICE_H
#define VRNIC_DEVICE_H

#include "net/net.h"
#include "qemu/notify.h"
#include "qemu/timer.h"

#include "bridge.h"
#include "compat.h"

#define TYPE_VRNIC "vrnic"
OBJECT_DECLARE_SIMPLE_TYPE(VrnicState, VRNIC)

/* At most this many lines at once and then one per second reach stderr; see log.c. */
struct vrnic_log_budget {
	int64_t refilled; /* ns of the real time clock */
	unsigned lines;
	uint64_t held_back; /* since the last line */
};

struct VrnicState {
	PCIDevice parent_obj;

	/* Properties. */
	NICConf conf;
	uint32_t vectors;
	uint64_t doorbell_size; /* bytes */
	uint64_t seed;
	char *loss; /* share of the packets, "0" .. "1" */
	char *capture; /* file, before there is a bridge */
	char *faults;  /* rules, before there is a bridge */
	char *qp_types; /* those that the device has; NULL: all */
	bool atomics, srq, memory_windows, fast_registration, kverbs; /* whether it has them */

	MemoryRegion registers; /* BAR0 */
	MemoryRegion doorbells; /* BAR2 */
	MemoryRegion absent;    /* covers the MSI-X BAR after a surprise removal */
	NICState *nic;
	QEMUTimer *timer;
	QEMUTimer *capture_timer;
	Notifier exit_notifier;
	QEMUBH *bh;

	struct vrnic_bridge *bridge; /* NULL: not realized, or on its way out */
	uint8_t pm_capability;       /* offset in configuration space */
	bool asleep;                 /* D3hot: no memory access in either direction */
	bool surprise_removed;       /* as if pulled out of its slot */
	bool run_wanted;             /* by the engine, from the bottom half */
	bool flush_wanted;           /* frames that wait in the net layer are to be offered again */
	bool frame_in_flight;        /* the net layer holds a frame of ours and will call back */
	struct vrnic_log_budget log_budget;
	struct vrnic_log_budget fault_log_budget; /* so that faults do not hold back the others */
};

/* Nothing passes between the device and the rest of the machine otherwise. */
static inline bool vrnic_on_bus(const VrnicState *s)
{
	return !s->asleep && !s->surprise_removed;
}

/* host.c: what the engine is given. */
extern const struct vrnic_host vrnic_qemu_host;

/* net.c */
void vrnic_net_create(VrnicState *s);
void vrnic_net_drop_in_flight(VrnicState *s);
enum vrnic_send vrnic_net_send(VrnicState *s, const void *frame, size_t size);
bool vrnic_net_layout_fits(const VrnicState *s);

/* log.c */
void vrnic_log_line(VrnicState *s, enum vrnic_log level, const char *line, size_t length);

/* guard.c: compares this file's idea of QEMU's types with the running ones; says what differs. */
bool vrnic_layout_fits(void);
void vrnic_warn_if_untested(void);

/* capture.c */
void vrnic_capture_create(VrnicState *s);
bool vrnic_capture_start(VrnicState *s, const char *file, Error **errp);
void vrnic_capture_free(VrnicState *s);

/* capabilities.c: without gets the VRNIC_CAP_* that the properties take away */
bool vrnic_parse_capabilities(const VrnicState *s, uint64_t *without, Error **errp);

/* faults.c */
char *vrnic_faults_get(Object *object, Error **errp);
void vrnic_faults_set(Object *object, const char *rules, Error **errp);
bool vrnic_faults_start(VrnicState *s, Error **errp);

/* surprise_removal.c */
void vrnic_surprise_create(VrnicState *s);
void vrnic_surprise_free(VrnicState *s);
bool vrnic_surprise_get(Object *object, Error **errp);
void vrnic_surprise_set(Object *object, bool removed, Error **errp);

/* device.c */
void vrnic_register_type(void);

#endif /* VRNIC_DEVICE_H */
