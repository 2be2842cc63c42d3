// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include "random_faults.h"
#include "workload.h"

namespace vrnic::sim {

std::string run_large_soak(const LargeSoak& soak) {
    Random random(soak.seed * 31 + 1);
    constexpr std::uint32_t kMostPpm = 2'000;  // so that no retries are used up in a million tries
    Pair pair(soak.seed, {.memory_bytes = 128 << 20, .faults = random_faults(random, kMostPpm)});
    pair.trace.keep_frames(false);
    LinkFaults& faults = pair.link.faults;
    faults.loss = faults.duplicate = faults.reorder = faults.corrupt = kMostPpm;
    faults.refuse = 10 * kMostPpm;
    pair.link.bytes_per_us = 5000;
    pair.link.queue_time = 3 * kMicrosecond;
    pair.cq_a = &pair.a.driver.create_cq({.log_size = 13});
    pair.cq_b = &pair.b.driver.create_cq({.log_size = 13});
    Workload work(pair, {.seed = soak.seed,
                         .qps = soak.qps,
                         .operations = soak.operations,
                         .depth = 4,
                         .max_bytes = 3000,
                         .receives_late = true});
    const std::string wrong = work.run(3600 * kSecond);
    if (!wrong.empty()) return wrong;
    const Counters &a = pair.a.counters(), &b = pair.b.counters();
    // The faults did come: some kind of each device's own, and the link's.
    if (a.roce_retransmitted_packets + b.roce_retransmitted_packets == 0 ||
        a.faults_dropped_packets + a.faults_duplicated_packets + a.faults_delayed_packets +
                a.faults_reordered_packets + a.faults_corrupted_packets ==
            0)
        return "nothing went wrong";
    return "";
}

}  // namespace vrnic::sim
