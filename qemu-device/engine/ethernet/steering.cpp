// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/steering.h"

#include <algorithm>
#include <cstring>

#include "roce/checksum.h"

namespace vrnic {
namespace {

constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint16_t kTypeIpv6 = 0x86dd;
constexpr std::uint16_t kTypeVlan = 0x8100;  // IEEE 802.1Q
constexpr std::uint8_t kProtocolUdp = 17;
constexpr std::uint16_t kRocePort = 4791;  // IBTA A17.3.1.1
constexpr std::size_t kIpv4MinHeader = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kUdpHeader = 8;

using Octets = std::span<const std::uint8_t>;

std::uint16_t be16(Octets octets, std::size_t at) {
    return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

bool is_roce_udp(Octets udp) {
    return udp.size() >= kUdpHeader && be16(udp, 2) == kRocePort;
}

bool is_roce_ipv4(Octets ip) {
    if (ip.size() < kIpv4MinHeader || ip[0] >> 4 != 4 || ip[9] != kProtocolUdp) return false;
    const bool fragment = (be16(ip, 6) & 0x3fff) != 0;  // more fragments, or not the first
    const std::size_t header = std::size_t{ip[0] & 0xfu} * 4;
    return !fragment && header >= kIpv4MinHeader && header <= ip.size() &&
           is_roce_udp(ip.subspan(header));
}

bool is_roce_ipv6(Octets ip) {
    return ip.size() >= kIpv6Header && ip[0] >> 4 == 6 && ip[6] == kProtocolUdp &&
           is_roce_udp(ip.subspan(kIpv6Header));
}

bool is_roce(Octets frame) {
    std::uint16_t type = be16(frame, 12);
    Octets payload = frame.subspan(kEthernetHeader);
    if (type == kTypeVlan && payload.size() >= kVlanTag) {
        type = be16(payload, 2);
        payload = payload.subspan(kVlanTag);
    }
    if (type == kTypeIpv4) return is_roce_ipv4(payload);
    if (type == kTypeIpv6) return is_roce_ipv6(payload);
    return false;
}

bool is_ours(const std::uint8_t* mac, const Port& port) {
    return std::memcmp(mac, port.mac().data(), port.mac().size()) == 0;
}

bool may_be_roce(const std::uint8_t* mac, const Port& port, const RoceReception& roce) {
    if (is_ours(mac, port)) return true;
    if (is_multicast(mac)) return roce.groups;
    return std::ranges::any_of(roce.macs, [&](const MacAddress& other) {
        return std::memcmp(mac, other.data(), other.size()) == 0;
    });
}

bool is_broadcast(const std::uint8_t* mac) {
    return std::all_of(mac, mac + 6, [](std::uint8_t octet) { return octet == 0xff; });
}

bool accepts(const std::uint8_t* mac, const Port& port) {
    if (port.promiscuous()) return true;
    if (!is_multicast(mac)) return is_ours(mac, port);
    return is_broadcast(mac) || port.all_multicast() ||
           (port.multicast_hash() >> multicast_hash_bit(mac) & 1) != 0;
}

}  // namespace

unsigned multicast_hash_bit(const std::uint8_t* mac) {
    // The FCS is the complement of the CRC register, which is meant here (Linux: ether_crc_le).
    return ~roce::crc32_ethernet(0, {reinterpret_cast<const std::byte*>(mac), 6}) >> 26;
}

Destination steer(std::span<const std::byte> frame, const Port& port, const RoceReception& roce,
                  Counters& counters) {
    if (frame.size() < kEthernetHeader) {
        ++counters.eth_rx_too_short;
        return Destination::nowhere;
    }
    if (frame.size() > port.max_received_frame()) {
        ++counters.eth_rx_too_long;
        return Destination::nowhere;
    }
    const Octets octets(reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size());
    if (port.link_up()) {
        // The RDMA function works without the network stack's consent: PORT_UP is not asked.
        if (may_be_roce(octets.data(), port, roce) && is_roce(octets)) return Destination::roce;
        if (port.admin_up() && accepts(octets.data(), port)) return Destination::ethernet;
    }
    ++counters.eth_rx_filtered;
    return Destination::nowhere;
}

}  // namespace vrnic
