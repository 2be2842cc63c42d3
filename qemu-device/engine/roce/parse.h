// SPDX-License-Identifier: GPL-2.0-or-later
// From a received frame to a checked packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "base/psn.h"
#include "roce/headers.h"
#include "roce/opcode.h"

namespace vrnic::roce {

enum class ParseError {
    too_short,     // ends before its headers do
    not_ip,        // neither plain IPv4 nor plain IPv6 (options, fragments, extension headers)
    bad_checksum,  // IPv4 header or UDP
    bad_length,    // IP, UDP and frame lengths do not fit each other
    not_roce,      // not UDP port 4791
    bad_header,    // BTH version or pad
    bad_icrc,
    bad_opcode,  // none that is known (the ICRC was right)
};
const char* to_string(ParseError error);

// Host order values; payload and IP header lie in the frame.
struct Packet {
    const OpcodeInfo* opcode = nullptr;
    MacAddress destination_mac{};
    MacAddress source_mac{};
    std::uint16_t vlan = 0;     // id; 0: untagged, or a tag that has only a priority
    std::uint8_t priority = 0;  // of the tag
    bool ipv4 = false;
    Gid source{};
    Gid destination{};
    std::span<const std::byte> ip_header;
    std::uint8_t traffic_class = 0;

    bool solicited = false;
    bool ack_request = false;
    std::uint16_t pkey = 0;
    std::uint32_t destination_qp = 0;
    Psn psn;

    // As the opcode has them.
    std::uint64_t address = 0;  // RETH, AtomicETH
    std::uint32_t rkey = 0;
    std::uint32_t length = 0;
    std::uint8_t syndrome = 0;  // AETH
    std::uint32_t msn = 0;
    std::array<std::uint8_t, 4> immediate{};
    std::uint64_t swap_or_add = 0;  // AtomicETH
    std::uint64_t compare = 0;
    std::uint64_t original = 0;        // AtomicAckETH
    std::uint32_t invalidate_key = 0;  // IETH
    std::uint8_t flush_placement = 0;  // FETH
    std::uint8_t flush_level = 0;
    std::uint32_t xrc_srq = 0;  // XRCETH
    std::uint32_t qkey = 0;     // DETH
    std::uint32_t source_qp = 0;

    std::span<const std::byte> payload;  // without padding
};

// frame: from the Ethernet header on, without FCS; padding after the IP packet is ignored.
std::expected<Packet, ParseError> parse(std::span<const std::byte> frame);

}  // namespace vrnic::roce
