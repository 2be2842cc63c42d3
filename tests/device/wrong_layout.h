/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In front of each file of the glue, to build one that must be refused: without
 * this option of QEMU's configure, Int128 and with it MemoryRegion have another layout.
 */
#include "qemu/osdep.h"
#undef CONFIG_INT128
