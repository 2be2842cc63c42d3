// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "bench/results.h"

namespace vrnic::runner::bench {

// Measures this host, for about a second: the bounds that no device can pass here. Frames carry
// what a RoCE packet of the MTU does, over a unix socket as the VMs have it between them, one
// system call for each, to a reader that takes 64 KiB at a time, as QEMU's does.
[[nodiscard]] Limits measure_limits();

}  // namespace vrnic::runner::bench
