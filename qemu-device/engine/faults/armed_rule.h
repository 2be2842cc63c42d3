// SPDX-License-Identifier: GPL-2.0-or-later
// A rule at work: what it has seen so far. The same seed and the same sequence of what fits give
// the same faults.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "faults/rule.h"

namespace vrnic {

struct ArmedRule {
    FaultRule rule;
    std::uint32_t handle;  // 0: of the device's owner; else of the guest
    std::uint32_t number;  // for people: from 1 on; of the guest's: the handle
    Random random;
    std::uint64_t seen = 0;  // that fitted
    std::uint64_t injected = 0;
    Nanoseconds since = 0;      // link_down: when it was given
    bool link_counted = false;  // link_down: it has begun

    // One more that fits: whether it is the one. Chance is asked each time, so that the other
    // conditions do not move it.
    bool fires() {
        ++seen;
        const bool by_chance = rule.ppm == FaultRule::kAlways || random.chance_ppm(rule.ppm);
        return by_chance && (rule.nth == 0 || seen == rule.nth) &&
               (rule.every == 0 || seen % rule.every == 0) &&
               (rule.first == 0 || seen <= rule.first);
    }
};

}  // namespace vrnic
