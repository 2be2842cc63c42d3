// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_query_rt_values_ex(3), and the wall clock for ibv_wc_read_completion_wallclock_ns(3).
#include "clock.h"

#include <time.h>

#include <cerrno>

#include "context.h"
#include "verbs_glue.h"
#include "vrnic_types.h"

namespace vrnic {

namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

// Within so many ns of a comparison the clocks run apart by less than a microsecond (they drift by
// less than 1 in 10000), and a clock that was set is noticed after that time.
constexpr uint64_t kComparisonHolds = 10'000'000;

uint64_t wall_now() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * kNsPerSecond + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t distance(uint64_t a, uint64_t b) {
    return a > b ? a - b : b - a;
}

}  // namespace

uint64_t DeviceClock::now() const {
    return vrnic_le64::swap(*register_);
}

// The pair that was read in the shortest time is the closest.
void WallClock::compare(const DeviceClock& clock) {
    uint64_t shortest = ~uint64_t{0};
    for (int i = 0; i < 3; ++i) {
        const uint64_t before = wall_now();
        const uint64_t device = clock.now();
        const uint64_t took = wall_now() - before;
        if (took > shortest) continue;
        shortest = took;
        device_ = device;
        wall_ = before + took / 2;
    }
    known_ = true;
}

uint64_t WallClock::at(const DeviceClock& clock, uint64_t device_time) {
    if (!known_ || distance(device_time, device_) > kComparisonHolds) compare(clock);
    return wall_ + (device_time - device_);
}

}  // namespace vrnic

using namespace vrnic;

int vrnic_query_rt_values(ibv_context* context, ibv_values_ex* values) {
    const Context::State& state = Context::from(context).state;
    const DeviceClock& clock = state.clock;
    if (values->comp_mask & ~uint32_t{IBV_VALUES_MASK_RAW_CLOCK}) return EINVAL;
    if (!clock.present()) return EOPNOTSUPP;
    // A read of what was taken away gives zero; kernels with DEBUG_VM warn of how theirs do that.
    if (!state.alive()) return EIO;
    if (values->comp_mask & IBV_VALUES_MASK_RAW_CLOCK) {
        // Cycles, here nanoseconds, all in tv_nsec, as completions have them.
        values->raw_clock.tv_sec = 0;
        values->raw_clock.tv_nsec = static_cast<long>(clock.now());
    }
    return 0;
}
