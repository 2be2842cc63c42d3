// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/steering.h"

#include <vector>

#include "unit/catch.h"

using namespace vrnic;

namespace {

constexpr MacAddress kOurs = {0x52, 0x54, 0, 1, 2, 3};
constexpr MacAddress kOther = {0x52, 0x54, 0, 9, 9, 9};
constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr MacAddress kMulticast = {0x01, 0x00, 0x5e, 0, 0, 1};  // 224.0.0.1

using Octets = std::vector<std::uint8_t>;

Octets ethernet(const MacAddress& to, std::uint16_t type, const Octets& payload) {
    Octets out(to.begin(), to.end());
    out.insert(out.end(), kOther.begin(), kOther.end());
    out.push_back(static_cast<std::uint8_t>(type >> 8));
    out.push_back(static_cast<std::uint8_t>(type));
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}
Octets vlan(std::uint16_t type, const Octets& payload) {
    Octets out = {0x00, 0x05, static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type)};
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}
Octets udp(std::uint16_t to = 4791) {
    return {0xc0, 0x00, static_cast<std::uint8_t>(to >> 8), static_cast<std::uint8_t>(to),
            0,    28,   0,
            0,    1,    2};
}
Octets ipv4(const Octets& payload, unsigned options = 0) {
    Octets out(20 + options);
    out[0] = static_cast<std::uint8_t>(0x40 | (5 + options / 4));
    out[9] = 17;
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}
Octets ipv6(const Octets& payload) {
    Octets out(40);
    out[0] = 0x60;
    out[6] = 17;
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}
Octets with(Octets octets, std::size_t at, std::uint8_t value) {
    octets[at] = value;
    return octets;
}
Octets cut(Octets octets, std::size_t size) {
    octets.resize(size);
    return octets;
}

constexpr std::uint16_t k4 = 0x0800, k6 = 0x86dd, kVlan = 0x8100;

Port port(std::uint32_t flags, std::uint64_t hash = 0, std::uint32_t mtu = 1500, bool link = true) {
    Port out(kOurs, link);
    vrnic_cmd_set_port cmd{};
    cmd.flags = flags;
    cmd.mtu = mtu;
    cmd.multicast_hash = hash;
    std::ranges::copy(kOurs, cmd.mac);
    REQUIRE(out.set(cmd));
    return out;
}

Destination steer(const Octets& frame, const Port& port, Counters& counters) {
    return vrnic::steer(std::as_bytes(std::span(frame)), port, {}, counters);
}

}  // namespace

TEST_CASE("RoCE packets are told from the rest") {
    struct Case {
        const char* what;
        Octets frame;
        bool roce;
    };
    const std::vector<Case> cases = {
        {"IPv4", ethernet(kOurs, k4, ipv4(udp())), true},
        {"IPv6", ethernet(kOurs, k6, ipv6(udp())), true},
        {"IPv4 with options", ethernet(kOurs, k4, ipv4(udp(), 8)), true},
        {"IPv4 in a VLAN", ethernet(kOurs, kVlan, vlan(k4, ipv4(udp()))), true},
        {"IPv6 in a VLAN", ethernet(kOurs, kVlan, vlan(k6, ipv6(udp()))), true},
        {"do not fragment", ethernet(kOurs, k4, with(ipv4(udp()), 6, 0x40)), true},
        {"other port", ethernet(kOurs, k4, ipv4(udp(4790))), false},
        {"port in the wrong order", ethernet(kOurs, k4, ipv4(udp(0xb712))), false},
        {"TCP", ethernet(kOurs, k4, with(ipv4(udp()), 9, 6)), false},
        {"IPv6 with an extension header", ethernet(kOurs, k6, with(ipv6(udp()), 6, 0)), false},
        {"first fragment", ethernet(kOurs, k4, with(ipv4(udp()), 6, 0x20)), false},
        {"later fragment", ethernet(kOurs, k4, with(ipv4(udp()), 7, 1)), false},
        {"far fragment", ethernet(kOurs, k4, with(ipv4(udp()), 6, 0x10)), false},
        {"IPv4 by type, IPv6 by version", ethernet(kOurs, k4, with(ipv4(udp()), 0, 0x65)), false},
        {"IPv6 by type, IPv4 by version", ethernet(kOurs, k6, with(ipv6(udp()), 0, 0x45)), false},
        {"header shorter than a header", ethernet(kOurs, k4, with(ipv4(udp()), 0, 0x44)), false},
        {"header past the frame", ethernet(kOurs, k4, with(ipv4(udp()), 0, 0x4f)), false},
        {"ARP", ethernet(kOurs, 0x0806, ipv4(udp())), false},
        {"two tags", ethernet(kOurs, kVlan, vlan(kVlan, vlan(k4, ipv4(udp())))), false},
        {"cut in UDP", cut(ethernet(kOurs, k4, ipv4(udp())), 14 + 20 + 7), false},
        {"cut in IPv4", cut(ethernet(kOurs, k4, ipv4(udp())), 14 + 19), false},
        {"cut in IPv6", cut(ethernet(kOurs, k6, ipv6(udp())), 14 + 39), false},
        {"cut in the tag", cut(ethernet(kOurs, kVlan, vlan(k4, {})), 14 + 3), false},
        {"nothing behind the tag", cut(ethernet(kOurs, kVlan, vlan(k4, {})), 14 + 4), false},
        {"header only", cut(ethernet(kOurs, k4, {}), 14), false},
    };
    const Port up = port(VRNIC_PORT_UP);
    const Port down = port(0);
    for (const Case& c : cases) {
        CAPTURE(c.what);
        Counters counters;
        CHECK(steer(c.frame, up, counters) ==
              (c.roce ? Destination::roce : Destination::ethernet));
        CHECK(counters.eth_rx_filtered == 0);
        // RDMA does not ask whether the network stack wants frames.
        CHECK(steer(c.frame, down, counters) ==
              (c.roce ? Destination::roce : Destination::nowhere));
        CHECK(counters.eth_rx_filtered == (c.roce ? 0 : 1));
    }
}

TEST_CASE("a RoCE packet for another MAC is none of ours") {
    Counters counters;
    CHECK(steer(ethernet(kOther, k4, ipv4(udp())), port(VRNIC_PORT_UP), counters) ==
          Destination::nowhere);
    CHECK(steer(ethernet(kOther, k4, ipv4(udp())), port(VRNIC_PORT_UP | VRNIC_PORT_PROMISC),
                counters) == Destination::ethernet);
    CHECK(steer(ethernet(kBroadcast, k4, ipv4(udp())), port(VRNIC_PORT_UP), counters) ==
          Destination::ethernet);
}

TEST_CASE("a RoCE packet for the MAC of a GID is the transport's, other frames for it are not") {
    Counters counters;
    const std::vector<MacAddress> macs = {kOurs, kOther};
    const RoceReception roce{.macs = macs};
    const auto to_other = [&](const Octets& payload, std::uint32_t flags) {
        const Octets frame = ethernet(kOther, k4, payload);
        return vrnic::steer(std::as_bytes(std::span(frame)), port(flags), roce, counters);
    };
    CHECK(to_other(ipv4(udp()), VRNIC_PORT_UP) == Destination::roce);
    CHECK(to_other(ipv4(udp()), VRNIC_PORT_UP | VRNIC_PORT_PROMISC) == Destination::roce);
    CHECK(to_other(ipv4(udp(4790)), VRNIC_PORT_UP) == Destination::nowhere);
    CHECK(to_other(ipv4(udp(4790)), VRNIC_PORT_UP | VRNIC_PORT_PROMISC) == Destination::ethernet);
}

TEST_CASE("frames are filtered by address") {
    // Known value of Linux' ether_crc_le() >> 26.
    CHECK(multicast_hash_bit(kMulticast.data()) == 0x36);
    const std::uint64_t hash = 1ull << multicast_hash_bit(kMulticast.data());
    struct Case {
        const char* what;
        const MacAddress& to;
        Port port;
        bool taken;
    };
    const std::vector<Case> cases = {
        {"ours", kOurs, port(VRNIC_PORT_UP), true},
        {"other", kOther, port(VRNIC_PORT_UP), false},
        {"other, promiscuous", kOther, port(VRNIC_PORT_UP | VRNIC_PORT_PROMISC), true},
        {"other, all multicast", kOther, port(VRNIC_PORT_UP | VRNIC_PORT_ALLMULTI), false},
        {"broadcast", kBroadcast, port(VRNIC_PORT_UP), true},
        {"multicast", kMulticast, port(VRNIC_PORT_UP), false},
        {"multicast, hash", kMulticast, port(VRNIC_PORT_UP, hash), true},
        {"multicast, all but its hash", kMulticast, port(VRNIC_PORT_UP, ~hash), false},
        {"multicast, all", kMulticast, port(VRNIC_PORT_UP | VRNIC_PORT_ALLMULTI), true},
        {"multicast, promiscuous", kMulticast, port(VRNIC_PORT_UP | VRNIC_PORT_PROMISC), true},
        {"port down", kOurs, port(VRNIC_PORT_PROMISC), false},
        {"no carrier", kOurs, port(VRNIC_PORT_UP, 0, 1500, false), false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        Counters counters;
        CHECK(steer(ethernet(c.to, 0x0806, Octets(46)), c.port, counters) ==
              (c.taken ? Destination::ethernet : Destination::nowhere));
        CHECK(counters.eth_rx_filtered == (c.taken ? 0 : 1));
    }
}

TEST_CASE("frames too short and too long are dropped and counted") {
    const Port up = port(VRNIC_PORT_UP, 0, 100);
    for (const std::size_t size : {0u, 1u, 13u}) {
        Counters counters;
        CHECK(steer(cut(ethernet(kOurs, k4, ipv4(udp())), size), up, counters) ==
              Destination::nowhere);
        CHECK(counters.eth_rx_too_short == 1);
    }
    Counters counters;
    CHECK(steer(cut(ethernet(kOurs, 1, {}), 118), up, counters) == Destination::ethernet);
    CHECK(steer(cut(ethernet(kOurs, 1, {}), 119), up, counters) == Destination::nowhere);
    CHECK(steer(cut(ethernet(kOurs, k4, ipv4(udp())), 119), up, counters) == Destination::nowhere);
    CHECK(counters.eth_rx_too_long == 2);
}
