// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "setup/tool.h"

namespace vrnic::setup {

// Where this machine's own apt gets Debian from; other releases are taken from the same place.
struct Mirror {
    std::string archive;   // base address of the main archive
    std::string security;  // base address of the security archive; empty: the machine has none
    std::string options;   // of the machine's own entry: "trusted=yes", or a signed-by
};

// One line per index that apt would read, "ADDRESS RELEASE COMPONENT TRUSTED", as
// `apt-get indextargets` prints it; codename is the release that this machine runs.
[[nodiscard]] Result<Mirror> mirror_from_targets(std::string_view targets,
                                                 std::string_view codename);

// Asks apt itself, which knows both formats of its source lists.
[[nodiscard]] Result<Mirror> machine_mirror();

// A sources.list for some suites of a release, binary and source packages.
[[nodiscard]] std::string sources_list(const Mirror& mirror, std::string_view release,
                                       bool with_backports);

// The lines of `apt-config dump` that say how to reach a mirror: proxies, time limits, checks.
[[nodiscard]] std::string transport_settings(std::string_view apt_config_dump);

}  // namespace vrnic::setup
