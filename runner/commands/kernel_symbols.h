// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>

#include "commands/session.h"

namespace vrnic::runner {

// An ELF file with the names and addresses of the kernel's functions, for a debugger. Distributions
// strip their kernels, and their debug packages have a gigabyte: so the kernel itself is asked,
// once, in a VM. Kept in the cache.
[[nodiscard]] Result<std::filesystem::path> kernel_symbols(Session& session,
                                                           const LabOptions& options);

}  // namespace vrnic::runner
