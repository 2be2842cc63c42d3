// SPDX-License-Identifier: GPL-2.0-or-later
// RoCEv2 frames by hand: not made by the code under test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vrnic::device_test {

using Mac = std::array<std::uint8_t, 6>;
using Frame = std::vector<std::byte>;

struct RoceFrame {
    Mac to{0x52, 0x54, 0, 0, 0, 1};
    Mac from{0x52, 0x54, 0, 0, 0, 2};
    std::uint32_t source = 0x0a000002;  // IPv4
    std::uint32_t destination = 0x0a000001;
    std::uint8_t opcode = 0x11;  // RC acknowledge
    std::uint16_t pkey = 0xffff;
    std::uint32_t qpn = 0;
    std::uint32_t psn = 0;
    bool ack_request = false;
    std::vector<std::uint8_t> body = {};  // extended headers and payload, a multiple of 4
};

// With a right ICRC.
Frame build(const RoceFrame& roce);
// The ICRC of a frame as build() makes them, and the one it carries.
std::uint32_t right_icrc(std::span<const std::byte> frame);
std::uint32_t carried_icrc(std::span<const std::byte> frame);

// Ethernet, IPv4, UDP and BTH in front of the body.
inline constexpr std::size_t kEthernetSize = 14, kIpSize = 20, kUdpSize = 8, kBthSize = 12;
inline constexpr std::size_t kBthAt = kEthernetSize + kIpSize + kUdpSize;

}  // namespace vrnic::device_test
