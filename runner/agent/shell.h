// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include "agent/protocol.h"

namespace vrnic::agent {

// Starts an interactive bash on the virtio console that the runner joins to a person's terminal of
// this size. The result is its process, or -1.
[[nodiscard]] pid_t start_shell(const protocol::VmConfig& config, int rows, int columns);

}  // namespace vrnic::agent
