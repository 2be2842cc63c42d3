// SPDX-License-Identifier: GPL-2.0-or-later
// A million operations on 100 QPs of each of two devices, under all faults: no byte lost or
// doubled, no QP stuck. VRNIC_SIM_SEED=... replays what a failure printed.
#include <cstdlib>

#include "sim/nodes.h"
#include "sim/workload.h"
#include "unit/catch.h"

using namespace vrnic::sim;

TEST_CASE("a million operations on 100 QPs under all faults") {
    const std::uint64_t seed = seed_or(1'000'000);
    INFO("VRNIC_SIM_SEED=" << seed);
    CHECK(run_large_soak({.seed = seed, .qps = 100, .operations = 5'000}) == "");
}
