// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Any call with any handle, from several threads at once, while objects come and go.
#pragma once

#include <string>

namespace vrnic::dvcheck {

// As somebody without capabilities. The exit status: 0, also when the device goes meanwhile; 1: a
// call answered what it never may, or the device does not work afterwards.
int run_race(const std::string& device, unsigned seconds);

}  // namespace vrnic::dvcheck
