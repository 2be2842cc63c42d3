/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * PCI identity, BARs, registers and doorbells.
 *
 * BAR0: registers, 64 KiB, 32-bit, not prefetchable.
 * BAR2: doorbells, 64-bit prefetchable, 1 MiB by default.
 * BAR4: MSI-X table and pending bits.
 */
#ifndef VRNIC_REGS_H
#define VRNIC_REGS_H

#include "vrnic_types.h"

#define VRNIC_PCI_VENDOR_ID 0x1234 /* QEMU's unassigned test vendor */
#define VRNIC_PCI_DEVICE_ID 0x5652
#define VRNIC_PCI_REVISION VRNIC_ABI_MAJOR

/*
 * A driver works with a device of its own major version and of its own or a
 * later minor version; a minor version only adds.
 */
#define VRNIC_ABI_MAJOR 1
#define VRNIC_ABI_MINOR 0

#define VRNIC_BAR_REGS 0
#define VRNIC_BAR_DOORBELL 2
#define VRNIC_BAR_MSIX 4
#define VRNIC_BAR_REGS_SIZE 0x10000

/*
 * Registers. Each is 32 bits wide and little-endian; a 64-bit quantity is two
 * registers, low half first, and may be accessed whole by one aligned 8-byte
 * access. Any other size or alignment reads as zero and is ignored on write.
 * A register not listed reads as zero. All ones everywhere: the device is gone.
 */
#define VRNIC_REG_ID 0x000          /* RO VRNIC_ID */
#define VRNIC_REG_ABI 0x004         /* RO major << 16 | minor */
#define VRNIC_REG_STATUS 0x008      /* RO VRNIC_STATUS_* */
#define VRNIC_REG_CONTROL 0x00c     /* WO VRNIC_CONTROL_* */
#define VRNIC_REG_FATAL 0x010       /* RO VRNIC_FATAL_*: why STATUS.FATAL is set */
#define VRNIC_REG_MAC_LO 0x018      /* RO permanent MAC, octets 0..3, octet 0 in bits 7:0 */
#define VRNIC_REG_MAC_HI 0x01c      /* RO permanent MAC, octets 4..5 */
#define VRNIC_REG_DB_STRIDE 0x020   /* RO log2 of the bytes from one doorbell slot to the next */
#define VRNIC_REG_DB_COUNT 0x024    /* RO number of doorbell slots */
#define VRNIC_REG_VECTORS 0x028     /* RO number of MSI-X vectors */
#define VRNIC_REG_ADMIN_SQ_LO 0x040 /* RW bus address of the admin submission ring, 128-byte aligned */
#define VRNIC_REG_ADMIN_SQ_HI 0x044
#define VRNIC_REG_ADMIN_CQ_LO 0x048 /* RW bus address of the admin completion ring, 128-byte aligned */
#define VRNIC_REG_ADMIN_CQ_HI 0x04c
#define VRNIC_REG_ADMIN_SIZE 0x050   /* RW log2 of the entries of both rings, 1..10 */
#define VRNIC_REG_ADMIN_VECTOR 0x054 /* RW MSI-X vector of admin completions; VRNIC_NO_VECTOR: polled */
#define VRNIC_REG_ADMIN_ENABLE 0x058 /* RW 1: the rings are valid. Writing 1 sets all indices to 0 */
#define VRNIC_REG_ADMIN_DB 0x05c     /* WO producer index of the submission ring, free running, 32 bits */

/*
 * Event queue doorbells: one 32-bit register for each event queue, number
 * 0..VRNIC_MAX_EQS-1: the consumer index (free running, modulo 2^31) and the
 * arm bit. An armed queue that holds an event past the consumer index raises
 * its vector once and is no longer armed.
 */
#define VRNIC_REG_EQ_DB 0x1000
#define VRNIC_REG_EQ_DB_STRIDE 8
#define VRNIC_EQ_DB_ARM (1u << 31)
#define VRNIC_MAX_EQS 64

/*
 * RO, 64 bits: the clock that completions are stamped with, in ns (one aligned
 * 8-byte access; of two of 4 bytes the low half first). It is alone on its 4 KiB
 * page, so that a driver can let processes read it.
 */
#define VRNIC_REG_CLOCK 0x8000

#define VRNIC_ID 0x434e5256u /* "VRNC" in memory */
#define VRNIC_NO_VECTOR 0xffffffffu

#define VRNIC_STATUS_READY (1u << 0)   /* reset is over; the admin queue may be set up */
#define VRNIC_STATUS_FATAL (1u << 1)   /* only a reset helps */
#define VRNIC_STATUS_LINK_UP (1u << 2) /* the port's carrier */

#define VRNIC_CONTROL_RESET (1u << 0) /* as a Function Level Reset, but the PCI configuration stays */

#define VRNIC_FATAL_NONE 0
#define VRNIC_FATAL_ADMIN_RING 1   /* the admin rings could not be read or written */
#define VRNIC_FATAL_ADMIN_INDEX 2  /* ADMIN_DB ran ahead of the ring's size */
#define VRNIC_FATAL_INTERNAL 3     /* a bug of the device */

/*
 * Doorbells (BAR2). Slot n begins at n << DB_STRIDE. Slot 0 is the driver's
 * own; the others are handed out by VRNIC_ADMIN_ALLOC_UAR, one to each user
 * context. The one register of a slot is at its offset 0: an aligned 64-bit
 * store of {type, number}. Doorbells carry no state: the indices are in the
 * queue's doorbell record in guest memory, written before the store. A queue
 * that belongs to another slot is not rung (counted, logged).
 */
#define VRNIC_DB_NUMBER_MASK 0x00ffffffu /* bits 23:0 queue number */
#define VRNIC_DB_TYPE_SHIFT 24           /* bits 27:24 VRNIC_DB_TYPE_*; the rest must be zero */
#define VRNIC_DB_TYPE_SQ 0               /* number: QPN. The send queue's producer index moved */
#define VRNIC_DB_TYPE_RQ 1               /* number: QPN. Needed in ERR only, where receives are flushed */
#define VRNIC_DB_TYPE_CQ_ARM 2           /* number: CQN. The arm field of the record changed */
#define VRNIC_DB_TYPE_ETH_TX 3           /* number: transmit queue */
#define VRNIC_DB_TYPE_ETH_RX 4           /* number: receive queue. Optional */

#ifdef __cplusplus
static_assert(VRNIC_REG_EQ_DB + VRNIC_MAX_EQS * VRNIC_REG_EQ_DB_STRIDE <= VRNIC_REG_CLOCK);
#endif

#endif /* VRNIC_REGS_H */
