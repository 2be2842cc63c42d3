// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <functional>
#include <string>

#include "device.h"
#include "failure.h"
#include "plan.h"

namespace vrnic::check {

// What a program sees of a device that is taken from it while it works: queue pairs of this
// machine, connected two by two, write until their requests are flushed. Nothing may be left
// without a completion, no call may wait, and all that was made must still be destroyed without an
// error.
//
// Tells `say` "busy" when each queue pair has had a thousand completions, then "gone"; destroys
// what it made when its standard input ends.
Result<void> check_removal(const Plan& plan, Device device,
                           const std::function<void(const std::string&)>& say);

}  // namespace vrnic::check
