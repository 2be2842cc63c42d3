/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* The number that the kernel knows an XRC domain by: libibverbs keeps it to itself, in a header that is C only. */
#ifndef VRNIC_XRCD_HANDLE_H
#define VRNIC_XRCD_HANDLE_H

#include <infiniband/verbs.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t vrnic_xrcd_handle(struct ibv_xrcd *xrcd);

#ifdef __cplusplus
}
#endif

#endif /* VRNIC_XRCD_HANDLE_H */
