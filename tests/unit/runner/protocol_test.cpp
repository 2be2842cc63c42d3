// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/protocol.h"

#include "unit/catch.h"

namespace vrnic::protocol {

TEST_CASE("a VM's configuration survives the way to its agent") {
    VmConfig config{.number = 2, .count = 3, .mtu = 9000, .nics = {}};
    config.nics = {{NicKind::vrnic, "52:54:00:77:00:02"}, {NicKind::rxe, "52:54:00:77:01:02"}};
    const VmConfig read = parse_config(to_text(config));
    CHECK(read.number == 2);
    CHECK(read.count == 3);
    CHECK(read.mtu == 9000);
    REQUIRE(read.nics.size() == 2);
    CHECK(read.nics[0].kind == NicKind::vrnic);
    CHECK(read.nics[1].kind == NicKind::rxe);
    CHECK(read.nics[1].mac == "52:54:00:77:01:02");
}

TEST_CASE("lines of a configuration that make no sense are left out") {
    const VmConfig read = parse_config("vm\nnic vrnic\nnic other 00:00\n\nvms 4");
    CHECK(read.number == 1);
    CHECK(read.count == 4);
    CHECK(read.nics.empty());
}

TEST_CASE("the last word takes the rest of the line") {
    CHECK(words("failed no device came up", 2) ==
          std::vector<std::string_view>{"failed", "no device came up"});
    CHECK(words("", 2).empty());
    CHECK(words("ready", 2) == std::vector<std::string_view>{"ready"});
}

TEST_CASE("addresses by link and number") {
    CHECK(ipv4_address(0, 2) == "10.77.0.2");
    CHECK(ipv6_address(0, 2) == "fd77::2");
    CHECK(ipv6_address(1, 2) == "fd77:1::2");
}

}  // namespace vrnic::protocol
