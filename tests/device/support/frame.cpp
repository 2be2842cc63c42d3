// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/frame.h"

#include <zlib.h>

#include <algorithm>

namespace vrnic::device_test {
namespace {

void put(std::vector<std::uint8_t>& out, std::uint64_t value, unsigned octets) {
    while (octets-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * octets)));
}

std::uint16_t ip_checksum(std::span<const std::uint8_t> header) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < header.size(); i += 2) sum += header[i] << 8 | header[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

// IBTA annex A17.3.3: CRC-32 of eight octets of ones and the packet from its IP header on, where
// the fields that routers change count as ones.
std::uint32_t icrc(std::vector<std::uint8_t> ip_packet) {
    constexpr std::size_t tos = 1, ttl = 8, ip_sum = 10, udp_sum = 26, resv8a = 32;
    for (const std::size_t at : {tos, ttl, ip_sum, ip_sum + 1, udp_sum, udp_sum + 1, resv8a})
        ip_packet[at] = 0xff;
    const std::array<std::uint8_t, 8> ones{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uLong head = ::crc32(0, ones.data(), ones.size());
    return static_cast<std::uint32_t>(
        ::crc32(head, ip_packet.data(), static_cast<uInt>(ip_packet.size())));
}

std::vector<std::uint8_t> octets(std::span<const std::byte> frame, std::size_t begin,
                                 std::size_t end) {
    std::vector<std::uint8_t> out(end - begin);
    std::transform(frame.begin() + begin, frame.begin() + end, out.begin(),
                   [](std::byte b) { return static_cast<std::uint8_t>(b); });
    return out;
}

}  // namespace

Frame build(const RoceFrame& roce) {
    const std::size_t udp_size = kUdpSize + kBthSize + roce.body.size() + 4;

    std::vector<std::uint8_t> ip;
    put(ip, 0x4500, 2);
    put(ip, kIpSize + udp_size, 2);
    put(ip, 0x00004000, 4);  // do not fragment
    put(ip, 64 << 8 | 17, 2);
    put(ip, 0, 2);
    put(ip, roce.source, 4);
    put(ip, roce.destination, 4);
    const std::uint16_t sum = ip_checksum(ip);
    ip[10] = sum >> 8;
    ip[11] = sum & 0xff;

    put(ip, 0xc123, 2);
    put(ip, 4791, 2);
    put(ip, udp_size, 2);
    put(ip, 0, 2);
    put(ip, roce.opcode, 1);
    put(ip, 0, 1);
    put(ip, roce.pkey, 2);
    put(ip, roce.qpn, 4);
    put(ip, (roce.ack_request ? 1u << 31 : 0) | roce.psn, 4);
    ip.insert(ip.end(), roce.body.begin(), roce.body.end());
    const std::uint32_t crc = icrc(ip);
    for (int i = 0; i < 4; ++i) ip.push_back(static_cast<std::uint8_t>(crc >> (8 * i)));

    std::vector<std::uint8_t> frame(roce.to.begin(), roce.to.end());
    frame.insert(frame.end(), roce.from.begin(), roce.from.end());
    put(frame, 0x0800, 2);
    frame.insert(frame.end(), ip.begin(), ip.end());
    Frame out(frame.size());
    std::transform(frame.begin(), frame.end(), out.begin(),
                   [](std::uint8_t o) { return std::byte{o}; });
    return out;
}

std::uint32_t right_icrc(std::span<const std::byte> frame) {
    return icrc(octets(frame, kEthernetSize, frame.size() - 4));
}

std::uint32_t carried_icrc(std::span<const std::byte> frame) {
    const auto tail = octets(frame, frame.size() - 4, frame.size());
    return tail[0] | tail[1] << 8 | tail[2] << 16 | static_cast<std::uint32_t>(tail[3]) << 24;
}

}  // namespace vrnic::device_test
