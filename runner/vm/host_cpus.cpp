// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/host_cpus.h"

#include <sched.h>

namespace vrnic::runner {

std::vector<int> allowed_cpus() {
    std::vector<int> cpus;
    cpu_set_t set;
    CPU_ZERO(&set);
    // Fails on hosts with more than CPU_SETSIZE processors, which need no shares.
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
    return cpus;
}

std::vector<int> share_of_cpus(const std::vector<int>& cpus, int number, int count,
                               int guest_cpus) {
    const auto index = static_cast<std::size_t>(number - 1);
    const auto vms = static_cast<std::size_t>(count);
    const auto threads = static_cast<std::size_t>(guest_cpus) + 1;  // QEMU's main loop
    if (vms == 1 || cpus.empty() || cpus.size() >= vms * threads) return {};
    if (cpus.size() < vms) return {cpus[index % cpus.size()]};
    const auto part = [&](std::size_t i) {
        return cpus.begin() + static_cast<std::ptrdiff_t>(i * cpus.size() / vms);
    };
    return {part(index), part(index + 1)};
}

}  // namespace vrnic::runner
