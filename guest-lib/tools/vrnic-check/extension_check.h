// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include "scene.h"

namespace vrnic::check {

// Memory windows and invalidation (IBTA 10.7), ATOMIC WRITE and FLUSH (annex A19): what they let
// through, what they keep out, and every byte of the target's memory. Each case has QPs of its own.
// One that a device does not offer is found as "not offered".
BehaviourCheck check_extensions;

}  // namespace vrnic::check
