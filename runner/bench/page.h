// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "bench/results.h"

namespace vrnic::runner::bench {

// One HTML page with plots and all figures; needs nothing else to be looked at.
[[nodiscard]] std::string page(const Results& results);

}  // namespace vrnic::runner::bench
