// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/port.h"

#include "unit/catch.h"

using namespace vrnic;

namespace {
constexpr MacAddress kPermanent = {0x52, 0x54, 0, 1, 2, 3};

vrnic_cmd_set_port good() {
    vrnic_cmd_set_port cmd{};
    cmd.flags = VRNIC_PORT_UP;
    cmd.mtu = 1500;
    cmd.mac[0] = 2;
    return cmd;
}
}  // namespace

TEST_CASE("a bad port is refused with its field, and changes nothing") {
    struct Case {
        const char* what;
        void (*spoil)(vrnic_cmd_set_port&);
        std::uint32_t detail;
    };
    const std::vector<Case> cases = {
        {"flag", [](auto& c) { c.flags = 8; }, VRNIC_FIELD(vrnic_cmd_set_port, flags)},
        {"all flags", [](auto& c) { c.flags = ~0u; }, VRNIC_FIELD(vrnic_cmd_set_port, flags)},
        {"MTU 0", [](auto& c) { c.mtu = 0; }, VRNIC_FIELD(vrnic_cmd_set_port, mtu)},
        {"MTU 67", [](auto& c) { c.mtu = 67; }, VRNIC_FIELD(vrnic_cmd_set_port, mtu)},
        {"MTU 9001", [](auto& c) { c.mtu = 9001; }, VRNIC_FIELD(vrnic_cmd_set_port, mtu)},
        {"MTU of all ones", [](auto& c) { c.mtu = ~0u; }, VRNIC_FIELD(vrnic_cmd_set_port, mtu)},
        {"multicast MAC", [](auto& c) { c.mac[0] = 3; }, VRNIC_FIELD(vrnic_cmd_set_port, mac)},
        {"no MAC", [](auto& c) { c.mac[0] = 0; }, VRNIC_FIELD(vrnic_cmd_set_port, mac)},
    };
    Port port(kPermanent, true);
    for (const Case& c : cases) {
        CAPTURE(c.what);
        vrnic_cmd_set_port cmd = good();
        c.spoil(cmd);
        const auto result = port.set(cmd);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == VRNIC_STATUS_INVALID);
        CHECK(result.error().detail == c.detail);
        CHECK(port.mac() == kPermanent);
        CHECK_FALSE(port.admin_up());
    }
}

TEST_CASE("the port after a reset is as at first, but for the carrier") {
    Port port(kPermanent, true);
    REQUIRE(port.set(good()));
    CHECK(port.admin_up());
    CHECK(port.mac() != kPermanent);
    CHECK(port.permanent_mac() == kPermanent);
    CHECK(port.max_received_frame() == 1518);
    port.set_link(false);
    port.reset();
    CHECK_FALSE(port.admin_up());
    CHECK_FALSE(port.link_up());
    CHECK(port.mac() == kPermanent);
    CHECK(port.max_received_frame() == kMaxFrame);
}
