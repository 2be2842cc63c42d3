// SPDX-License-Identifier: GPL-2.0-or-later
// What each admin command does.
#pragma once

#include <span>

#include "base/names.h"
#include "control/device.h"
#include "vrnic_admin.h"

namespace vrnic {

// Carries out one command, which is a copy that the guest cannot change; fills the completion but
// for its phase.
void execute(Device& device, const vrnic_admin_cmd& command, vrnic_admin_cpl& completion);

// The words for all commands.
std::span<const Name> command_names();

}  // namespace vrnic
