// SPDX-License-Identifier: GPL-2.0-or-later
// The Internet checksum (RFC 1071) and the invariant CRC of a RoCEv2 packet (IBTA annex A17.3.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "roce/headers.h"

namespace vrnic::roce {

// Ones' complement sum of data, added to sum; data of odd length counts as padded with a zero.
std::uint32_t internet_sum(std::span<const std::byte> data, std::uint32_t sum = 0);
// The checksum field's value for a sum; 0 for a sum that includes a right checksum.
std::uint16_t internet_checksum(std::uint32_t sum);

// The CRC-32 of Ethernet's FCS (IEEE 802.3, 3.2.9) over data, going on from crc; 0 begins.
std::uint32_t crc32_ethernet(std::uint32_t crc, std::span<const std::byte> data);

// The ICRC of a packet. ip: from its IP header on, without the ICRC itself; its first byte says
// IPv4 (without options) or IPv6; at least IP, UDP and BTH. The value goes on the wire least
// significant octet first, as the Ethernet FCS does.
std::uint32_t icrc(std::span<const std::byte> ip);

}  // namespace vrnic::roce
