// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"

namespace vrnic::runner {

// Cases that are not run, with the reason: tests/skips.json. The only way to skip a case.
// Key: "suite/name".
using Skips = std::map<std::string, std::string>;

[[nodiscard]] Result<Skips> load_skips(const std::filesystem::path& file);

}  // namespace vrnic::runner
