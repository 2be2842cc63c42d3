// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vrnic::runner {

// What every guest's kernel is told. loglevel=5: each character on the console costs an exit; the
// agent saves the complete log. Watchdogs and self-tests that want a steady clock are off: a busy
// host stalls guests. no5lvl: TCG's largest CPU has pages of five levels, and KASAN takes an
// interrupt for a wild access that comes while the boot processor is identified. thash_entries: who
// looks for listening sockets reads the table of connections, empty places and all.
inline constexpr const char* kernel_options =
    "console=ttyS0 loglevel=5 mitigations=off random.trust_cpu=on panic=-1 oops=panic "
    "no_timer_check watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=240 "
    "tsc=nowatchdog cryptomgr.notests no5lvl thash_entries=256";

}  // namespace vrnic::runner
