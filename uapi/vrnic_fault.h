/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * A rule of what is to go wrong on purpose, as the driver gives it to the device
 * and a process to the driver: the same structure, little-endian in both places.
 * docs/faults.md says what each kind does, and which fields it takes.
 */
#ifndef VRNIC_FAULT_H
#define VRNIC_FAULT_H

#include "vrnic_types.h"

/* Kinds. */
#define VRNIC_FAULT_DROP 0
#define VRNIC_FAULT_DUPLICATE 1
#define VRNIC_FAULT_DELAY 2
#define VRNIC_FAULT_REORDER 3
#define VRNIC_FAULT_CORRUPT 4
#define VRNIC_FAULT_FAIL_COMMAND 5
#define VRNIC_FAULT_LOSE_COMMAND 6
#define VRNIC_FAULT_LOSE_INTERRUPT 7
#define VRNIC_FAULT_DELAY_INTERRUPT 8
#define VRNIC_FAULT_FAIL_COMPLETION 9
#define VRNIC_FAULT_LINK_DOWN 10

#define VRNIC_FAULT_OUT 0 /* way: packets that leave; of completions: of the send queue */
#define VRNIC_FAULT_IN 1  /* packets that come; of the receive queue */

/* Fields that count only with their flag. */
#define VRNIC_FAULT_HAS_QPN (1u << 0)
#define VRNIC_FAULT_HAS_VECTOR (1u << 1)
#define VRNIC_FAULT_HAS_SEED (1u << 2)
#define VRNIC_FAULT_HAS_OPCODES (1u << 3) /* else all */
#define VRNIC_FAULT_SEALED (1u << 4)      /* corrupt: only payload, and the ICRC is made right again */

#define VRNIC_FAULT_ALWAYS 1000000 /* ppm */

struct vrnic_fault_rule {
	vrnic_u8 kind;       /* VRNIC_FAULT_DROP ... */
	vrnic_u8 way;        /* VRNIC_FAULT_OUT, VRNIC_FAULT_IN; else 0 */
	vrnic_le16 status;   /* VRNIC_STATUS_* of a command, VRNIC_WC_* of a completion */
	vrnic_le32 flags;    /* VRNIC_FAULT_HAS_*, VRNIC_FAULT_SEALED */
	vrnic_le32 qpn;      /* packets, completions */
	vrnic_le32 vector;   /* interrupts */
	/* When, of those that fit, counted from 1; all that are not 0 have to hold. */
	vrnic_le64 nth;
	vrnic_le64 every;
	vrnic_le64 first;
	vrnic_le32 ppm;      /* by chance, 1..VRNIC_FAULT_ALWAYS */
	vrnic_le32 packets;  /* reorder: so many of its queue pair and way go before it; else 1 */
	vrnic_le64 seed;     /* of chance */
	vrnic_le64 time;     /* ns: held back for so long; the link: down for so long, 0: for good */
	vrnic_le64 after;    /* ns, the link: so long after the rule was given */
	vrnic_le32 octets;   /* corrupt: of the run that changes; else 1 */
	vrnic_le32 reserved;
	vrnic_u8 opcodes[32]; /* bit n % 8 of octet n / 8: opcode n of the BTH, VRNIC_ADMIN_*, VRNIC_OP_* */
};
VRNIC_ASSERT_SIZE(struct vrnic_fault_rule, 112);
VRNIC_ASSERT_OFFSET(struct vrnic_fault_rule, opcodes, 80);

#endif /* VRNIC_FAULT_H */
