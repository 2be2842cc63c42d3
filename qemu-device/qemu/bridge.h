/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the C glue, which knows QEMU, and the C++ engine, which does not: a
 * small C interface without types of either side.
 *
 * All of it runs in one thread at a time, under QEMU's big lock. No call throws;
 * each may call vrnic_host operations, and these may come back in (see engine.h).
 */
#ifndef VRNIC_BRIDGE_H
#define VRNIC_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vrnic_send {
	VRNIC_SEND_TAKEN,
	VRNIC_SEND_PAUSED, /* not taken; vrnic_bridge_wire_ready will follow */
};

enum vrnic_log {
	VRNIC_LOG_GUEST_ERROR,
	VRNIC_LOG_INFO,
	VRNIC_LOG_FAULT, /* asked for by a rule */
};

#define VRNIC_TIMER_NEVER UINT64_MAX

/* What the engine is given; "device" is the pointer handed to vrnic_bridge_new. Meanings as in host.h. */
struct vrnic_host {
	bool (*dma_read)(void *device, uint64_t address, void *out, size_t size);
	bool (*dma_write)(void *device, uint64_t address, const void *data, size_t size);
	bool (*dma_store64)(void *device, uint64_t address, uint64_t value);
	void (*raise_interrupt)(void *device, uint32_t vector);
	enum vrnic_send (*send_frame)(void *device, const void *frame, size_t size);
	void (*receive_ready)(void *device);
	uint64_t (*now)(void *device);                     /* ns of the virtual clock */
	uint64_t (*wall_time)(void *device);               /* ns since 1970 */
	void (*set_timer)(void *device, uint64_t deadline); /* ns, or VRNIC_TIMER_NEVER */
	void (*schedule_run)(void *device);
	void (*log)(void *device, enum vrnic_log level, const char *line, size_t length);
};

struct vrnic_config {
	uint8_t mac[6];
	uint32_t vectors;
	uint32_t doorbell_slots;
	uint32_t doorbell_stride_log; /* log2 of bytes */
	uint64_t seed;
	bool link_up;
	uint64_t without; /* VRNIC_CAP_* that the device is not to have */
};

struct vrnic_bridge;

/* NULL when memory is short. "host" must outlive the bridge. */
struct vrnic_bridge *vrnic_bridge_new(const struct vrnic_host *host, void *device,
				      const struct vrnic_config *config);
/*
 * Ends the engine: when this returns no host operation is called any more. May
 * be called from within a host operation; then the memory is freed as soon as
 * the engine has returned. NULL is allowed.
 */
void vrnic_bridge_free(struct vrnic_bridge *bridge);

uint64_t vrnic_bridge_read_register(struct vrnic_bridge *bridge, uint64_t offset, unsigned size);
void vrnic_bridge_write_register(struct vrnic_bridge *bridge, uint64_t offset, uint64_t value,
				 unsigned size);
void vrnic_bridge_write_doorbell(struct vrnic_bridge *bridge, uint64_t offset, uint64_t value,
				 unsigned size);
bool vrnic_bridge_can_receive(const struct vrnic_bridge *bridge);
void vrnic_bridge_receive(struct vrnic_bridge *bridge, const void *frame, size_t size);
void vrnic_bridge_wire_ready(struct vrnic_bridge *bridge);
void vrnic_bridge_on_timer(struct vrnic_bridge *bridge);
void vrnic_bridge_run(struct vrnic_bridge *bridge);
void vrnic_bridge_set_link(struct vrnic_bridge *bridge, bool up);
void vrnic_bridge_reset(struct vrnic_bridge *bridge);

/*
 * From now on every frame goes into this file, as pcapng; "" ends that. name: the interface's, for
 * readers of the file. False: error holds a line that says why, things are as they were.
 */
bool vrnic_bridge_set_capture(struct vrnic_bridge *bridge, const char *file, const char *name,
			      char *error, size_t error_size);
/* The file that is being written, or "". */
void vrnic_bridge_capture(const struct vrnic_bridge *bridge, char *out, size_t size);
/* Writes what was captured to the file: to be called now and then, and at the end. */
void vrnic_bridge_flush_capture(struct vrnic_bridge *bridge);

/*
 * What is to go wrong from now on (engine/faults/text.h), instead of what was to before; "": nothing.
 * False: as above.
 */
bool vrnic_bridge_set_faults(struct vrnic_bridge *bridge, const char *rules, char *error,
			     size_t error_size);
/* The rules at work; cut when size is too small, always terminated. */
void vrnic_bridge_faults(const struct vrnic_bridge *bridge, char *out, size_t size);

/* All counters as one JSON object {"name":number,...}; cut when size is too small, always terminated. */
void vrnic_bridge_stats(const struct vrnic_bridge *bridge, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* VRNIC_BRIDGE_H */
