// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/gid_table.h"

#include "unit/catch.h"

using namespace vrnic;

namespace {

vrnic_cmd_set_gid command(std::uint32_t index, std::uint8_t last) {
    vrnic_cmd_set_gid cmd{};
    cmd.index = index;
    cmd.vlan = VRNIC_VLAN_NONE;
    cmd.gid[0] = 0xfd;
    cmd.gid[15] = last;
    cmd.smac[0] = 2;
    return cmd;
}

roce::Gid gid(std::uint8_t last) {
    roce::Gid out{};
    out[0] = 0xfd;
    out[15] = last;
    return out;
}

}  // namespace

TEST_CASE("GID entries are set, replaced and emptied") {
    GidTable table(4);
    CHECK(table.find(0) == nullptr);
    REQUIRE(table.set(command(3, 1)));
    REQUIRE(table.find(3) != nullptr);
    CHECK(table.find(3)->gid == gid(1));
    CHECK(table.contains(gid(1)));
    REQUIRE(table.set(command(3, 2)));
    CHECK_FALSE(table.contains(gid(1)));
    CHECK(table.contains(gid(2)));
    vrnic_cmd_set_gid empty{};
    empty.index = 3;
    empty.vlan = VRNIC_VLAN_NONE;
    REQUIRE(table.set(empty));
    CHECK(table.find(3) == nullptr);
    CHECK_FALSE(table.contains(roce::Gid{}));
}

TEST_CASE("the MACs of GIDs, each once, as long as an entry has it") {
    GidTable table(4);
    CHECK(table.macs().empty());
    auto other = command(2, 3);
    other.smac[5] = 7;
    REQUIRE(table.set(command(0, 1)));
    REQUIRE(table.set(command(1, 2)));
    REQUIRE(table.set(other));
    REQUIRE(table.macs().size() == 2);
    CHECK(table.macs()[0] == roce::MacAddress{2});
    CHECK(table.macs()[1] == roce::MacAddress{2, 0, 0, 0, 0, 7});
    vrnic_cmd_set_gid empty{};
    empty.index = 2;
    empty.vlan = VRNIC_VLAN_NONE;
    REQUIRE(table.set(empty));
    CHECK(table.macs().size() == 1);
    table.reset();
    CHECK(table.macs().empty());
}

TEST_CASE("GID commands with a wrong field are refused") {
    GidTable table(4);
    auto cmd = command(0, 1);
    std::uint32_t detail = 0;
    SECTION("index") {
        cmd.index = 4;
        detail = VRNIC_FIELD(vrnic_cmd_set_gid, index);
    }
    SECTION("vlan") {
        cmd.vlan = 4095;
        detail = VRNIC_FIELD(vrnic_cmd_set_gid, vlan);
    }
    SECTION("group MAC") {
        cmd.smac[0] = 3;
        detail = VRNIC_FIELD(vrnic_cmd_set_gid, smac);
    }
    const auto result = table.set(cmd);
    REQUIRE_FALSE(result);
    CHECK(result.error().status == VRNIC_STATUS_INVALID);
    CHECK(result.error().detail == detail);
    CHECK(table.find(0) == nullptr);
}

TEST_CASE("IPv4 addresses are recognised") {
    CHECK(is_ipv4({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}));
    CHECK_FALSE(is_ipv4({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 10, 0, 0, 1}));
    CHECK_FALSE(is_ipv4(gid(1)));
}
