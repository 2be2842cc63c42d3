// SPDX-License-Identifier: GPL-2.0-or-later
// The project's suites, each in a folder of tests/, in the order in which they run.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace vrnic::runner {

struct Suite {
    std::string_view name;
    bool built;       // has executables, which meson builds
    bool tables;      // has tables, *.json, which are run in VMs
    bool by_default;  // runs without being asked for; else it takes long, or needs what does
};

inline constexpr std::array suites{
    Suite{.name = "unit", .built = true, .tables = false, .by_default = true},
    Suite{.name = "sim", .built = true, .tables = false, .by_default = true},
    Suite{.name = "bench", .built = true, .tables = false, .by_default = true},
    Suite{.name = "device", .built = true, .tables = false, .by_default = true},
    Suite{.name = "runner", .built = true, .tables = false, .by_default = true},
    Suite{.name = "system", .built = false, .tables = true, .by_default = true},
    Suite{.name = "verbs", .built = false, .tables = true, .by_default = true},
    Suite{.name = "interop", .built = false, .tables = true, .by_default = true},
    Suite{.name = "faults", .built = false, .tables = true, .by_default = true},
    Suite{.name = "ulp", .built = false, .tables = true, .by_default = true},
    Suite{.name = "uapi", .built = false, .tables = true, .by_default = true},
    Suite{.name = "removal", .built = false, .tables = true, .by_default = true},
    Suite{.name = "soak", .built = true, .tables = true, .by_default = false},
    Suite{.name = "debug", .built = true, .tables = true, .by_default = false},
};

// nullptr: there is none of this name.
constexpr const Suite* find_suite(std::string_view name) {
    const auto found = std::ranges::find(suites, name, &Suite::name);
    return found == suites.end() ? nullptr : &*found;
}

}  // namespace vrnic::runner
