// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Holds descriptors of everything that the device does while the device is taken away.
#pragma once

#include <string>

namespace vrnic::dvcheck {

// Says "busy" when it has them and all have told something, "gone" when each has told that the
// device is gone; closes them when standard input ends. The exit status: 1: one did not.
int run_hold(const std::string& device);

}  // namespace vrnic::dvcheck
