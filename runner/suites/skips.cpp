// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/skips.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace vrnic::runner {

Result<Skips> load_skips(const std::filesystem::path& file) {
    std::ifstream in(file);
    const auto table = nlohmann::json::parse(in, nullptr, false);
    if (!table.is_array()) return fail(ExitStatus::setup, "{}: not a list", file.string());
    Skips skips;
    for (const auto& entry : table) {
        const std::string name = entry.value("case", "");
        const std::string reason = entry.value("reason", "");
        if (name.empty() || reason.empty())
            return fail(ExitStatus::setup, "{}: a skip needs \"case\" and \"reason\"",
                        file.string());
        skips[name] = reason;
    }
    return skips;
}

}  // namespace vrnic::runner
