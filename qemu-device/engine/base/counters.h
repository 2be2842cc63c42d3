// SPDX-License-Identifier: GPL-2.0-or-later
// What the device counts, in host order; made from the table in uapi/vrnic_admin.h.
#pragma once

#include <cstdint>

#include "vrnic_admin.h"

namespace vrnic {

struct Counters {
#define VRNIC_COUNTER_MEMBER(name) std::uint64_t name = 0;
    VRNIC_COUNTERS(VRNIC_COUNTER_MEMBER)
#undef VRNIC_COUNTER_MEMBER

    void add_difference(const Counters& before, const Counters& now) {
#define VRNIC_COUNTER_ADD(name) name += now.name - before.name;
        VRNIC_COUNTERS(VRNIC_COUNTER_ADD)
#undef VRNIC_COUNTER_ADD
    }

    vrnic_counters to_guest() const {
        vrnic_counters out{};
#define VRNIC_COUNTER_COPY(name) out.name = name;
        VRNIC_COUNTERS(VRNIC_COUNTER_COPY)
#undef VRNIC_COUNTER_COPY
        return out;
    }
};

}  // namespace vrnic
