// SPDX-License-Identifier: GPL-2.0
#include <linux/align.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "pcapng.h"

#define PCAPNG_SECTION 0x0a0d0d0a
#define PCAPNG_INTERFACE 1
#define PCAPNG_PACKET 6
#define PCAPNG_BYTE_ORDER 0x1a2b3c4d
#define PCAPNG_VERSION 1 /* 1.0: major in the lower half of a native word of two halves */
#define PCAPNG_ETHERNET 1

#define PCAPNG_TIME_RESOLUTION 9 /* option of an interface: 10^-9 s */
#define PCAPNG_FLAGS 2 /* options of a packet */
#define PCAPNG_DROPPED 4
#define PCAPNG_FLAG_IN 1
#define PCAPNG_FLAG_OUT 2

static u32 vrnic_two(u16 first, u16 second)
{
	const u16 halves[2] = { first, second };
	u32 word;

	memcpy(&word, halves, sizeof(word));
	return word;
}

static u32 vrnic_octet(u8 first)
{
	const u8 octets[4] = { first };
	u32 word;

	memcpy(&word, octets, sizeof(word));
	return word;
}

void vrnic_pcapng_header(struct vrnic_pcapng_header *header)
{
	*header = (struct vrnic_pcapng_header){
		.section = {
			PCAPNG_SECTION, sizeof(header->section), PCAPNG_BYTE_ORDER,
			vrnic_two(PCAPNG_VERSION, 0),
			U32_MAX, U32_MAX, /* its length: not known */
			sizeof(header->section),
		},
		.interface = {
			PCAPNG_INTERFACE, sizeof(header->interface),
			vrnic_two(PCAPNG_ETHERNET, 0),
			0, /* no limit of a frame */
			vrnic_two(PCAPNG_TIME_RESOLUTION, 1), vrnic_octet(9),
			0, /* the end of options */
			sizeof(header->interface),
		},
	};
}

u32 vrnic_pcapng_packet(const struct vrnic_stream_record *record, u64 dropped,
			struct vrnic_pcapng_head *head, struct vrnic_pcapng_tail *tail)
{
	u32 frame = le32_to_cpu(record->length);
	u32 length = sizeof(*head) + ALIGN(frame, 4) + sizeof(*tail);
	u64 time = le64_to_cpu(record->time);

	*head = (struct vrnic_pcapng_head){
		.type = PCAPNG_PACKET,
		.length = length,
		.time_high = upper_32_bits(time),
		.time_low = lower_32_bits(time),
		.captured = frame,
		.original = frame,
	};
	*tail = (struct vrnic_pcapng_tail){
		.flags_code = PCAPNG_FLAGS,
		.flags_length = sizeof(tail->flags),
		.flags = record->way == VRNIC_STREAM_IN ? PCAPNG_FLAG_IN : PCAPNG_FLAG_OUT,
		.dropped_code = PCAPNG_DROPPED,
		.dropped_length = sizeof(tail->dropped),
		.length = length,
	};
	memcpy(tail->dropped, &dropped, sizeof(tail->dropped));
	return length;
}
