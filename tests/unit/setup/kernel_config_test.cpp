// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/kernel_config.h"

#include "unit/catch.h"

namespace vrnic::setup {

using Lines = std::vector<std::string>;

constexpr const char* config =
    "# Automatically generated file; DO NOT EDIT.\n"
    "CONFIG_KASAN=y\n"
    "CONFIG_INFINIBAND=m\n"
    "CONFIG_NR_CPUS=8\n"
    "CONFIG_LOCALVERSION=\"-debug\"\n"
    "# CONFIG_UBSAN is not set\n"
    "CONFIG_KASAN_OUTLINE_TOO=y\n";

TEST_CASE("options that are as wanted are not missed") {
    CHECK(missing_options("# a comment\n\n"
                          "CONFIG_KASAN=y\nCONFIG_INFINIBAND=m\nCONFIG_NR_CPUS=8\n"
                          "CONFIG_LOCALVERSION=\"-debug\"\n"
                          "# CONFIG_UBSAN is not set\n# CONFIG_NEVER_HEARD_OF is not set\n",
                          config)
              .empty());
}

TEST_CASE("each option that is not as wanted is named") {
    const char* rows[] = {
        "CONFIG_UBSAN=y",                // off
        "CONFIG_DEBUG_KMEMLEAK=y",       // not there
        "CONFIG_KASAN_OUTLINE=y",        // only the beginning of another's name
        "CONFIG_INFINIBAND=y",           // a module
        "CONFIG_KASAN=m",                // no module
        "CONFIG_NR_CPUS=80",             // another number
        "CONFIG_LOCALVERSION=\"-deb\"",  // another text
        "# CONFIG_KASAN is not set",     // on
    };
    std::string all;
    for (const auto* row : rows) {
        CHECK(missing_options(row, config) == Lines{row});
        all += std::string(row) + "\n";
    }
    CHECK(missing_options(all, config) == Lines(std::begin(rows), std::end(rows)));
    CHECK(missing_options("CONFIG_KASAN=y\n", "") == Lines{"CONFIG_KASAN=y"});
}

}  // namespace vrnic::setup
