// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include "scene.h"

namespace vrnic::check {

// Provokes each kind of error and compares what both sides are told with what the specification
// says. Each case has QPs of its own, as an error ends them.
BehaviourCheck check_errors;

}  // namespace vrnic::check
