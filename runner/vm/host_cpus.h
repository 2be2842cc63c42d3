// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

namespace vrnic::runner {

// Guests that poll never sleep, so that a VM's device and its processors want a core each. Where
// the host has fewer, its scheduler may leave two guests on one core while their devices wait for
// the next tick: each VM then gets a part of the cores for itself.

// The host's processors that this process may run on, in order.
[[nodiscard]] std::vector<int> allowed_cpus();

// The part of `cpus` for VM `number`, 1 to `count`, of VMs with `guest_cpus` processors each.
// Empty: no restriction, there are enough.
[[nodiscard]] std::vector<int> share_of_cpus(const std::vector<int>& cpus, int number, int count,
                                             int guest_cpus);

}  // namespace vrnic::runner
