// SPDX-License-Identifier: GPL-2.0-or-later
// What can be done to an object beside what its own commands do: for those who test drivers.
#pragma once

#include "base/result.h"
#include "control/device.h"
#include "vrnic_admin.h"

namespace vrnic {

AdminResult<void> call_object(Device& device, const vrnic_cmd_call_object& cmd);

}  // namespace vrnic
