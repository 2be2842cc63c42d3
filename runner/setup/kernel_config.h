// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vrnic::setup {

// The lines of `wanted` that a kernel's configuration does not fulfil. Both are in the form of
// .config: CONFIG_NAME=VALUE, or "# CONFIG_NAME is not set". Kconfig drops without a word what an
// option's dependencies do not allow.
[[nodiscard]] std::vector<std::string> missing_options(std::string_view wanted,
                                                       std::string_view config);

}  // namespace vrnic::setup
