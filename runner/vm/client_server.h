// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>

#include "vm/lab.h"

namespace vrnic::runner {

// Runs `server` in vm1 and, once it listens, `client` in vm2, both to their ends; an empty server:
// the client alone. An error with status failure is the commands' own (one failed, or the time was
// not enough); nothing of them is left running then. Any other error is the VMs'.
[[nodiscard]] Result<void> run_client_server(Lab& lab, const std::string& server,
                                             const std::string& client, std::chrono::seconds limit);

}  // namespace vrnic::runner
