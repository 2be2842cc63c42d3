// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "bench/plan.h"

namespace vrnic::runner::bench {

// The figure in what a perftest client printed: bandwidth in MiB/s (average), latency in us
// (median, half of a round trip, but for READ a whole one). Empty: there is none.
[[nodiscard]] std::optional<double> perftest_figure(const std::string& printed, Quantity quantity);

}  // namespace vrnic::runner::bench
