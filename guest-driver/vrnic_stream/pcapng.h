/* SPDX-License-Identifier: GPL-2.0 */
/* The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in this machine's byte order, which the file tells. */
#ifndef VRNIC_PCAPNG_H
#define VRNIC_PCAPNG_H

#include <linux/types.h>

#include "vrnic_stream.h"

/* What a file begins with: the section, and its one interface, Ethernet, timestamps in nanoseconds. */
struct vrnic_pcapng_header {
	u32 section[7];
	u32 interface[8];
};
void vrnic_pcapng_header(struct vrnic_pcapng_header *header);

/* What stands before and behind a frame, which is filled up to 4 bytes. */
struct vrnic_pcapng_head {
	u32 type;
	u32 length; /* of the block */
	u32 interface;
	u32 time_high;
	u32 time_low;
	u32 captured;
	u32 original;
};
struct vrnic_pcapng_tail {
	u16 flags_code, flags_length;
	u32 flags;
	u16 dropped_code, dropped_length;
	u32 dropped[2];
	u32 end;
	u32 length;
};
/* Returns the bytes of the block. dropped: frames before this one. */
u32 vrnic_pcapng_packet(const struct vrnic_stream_record *record, u64 dropped,
			struct vrnic_pcapng_head *head, struct vrnic_pcapng_tail *tail);

#endif /* VRNIC_PCAPNG_H */
