// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>

#include "setup/context.h"

namespace vrnic::setup {

// What the provider is built against: FOLDER/include with rdma-core's private headers, which no
// package has, and FOLDER/lib/libibverbs.so.1 of the default guest to link with.
[[nodiscard]] Result<std::filesystem::path> rdma_core_headers(const Context& context);

}  // namespace vrnic::setup
