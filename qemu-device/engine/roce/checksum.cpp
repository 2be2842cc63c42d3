// SPDX-License-Identifier: GPL-2.0-or-later
#include "roce/checksum.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace vrnic::roce {

std::uint32_t crc32_ethernet(std::uint32_t crc, std::span<const std::byte> data) {
    return libdeflate_crc32(crc, data.data(), data.size());
}

std::uint32_t internet_sum(std::span<const std::byte> data, std::uint32_t sum) {
    // In the order of this machine, four octets at a time; folded and swapped it is the same
    // (RFC 1071, 2 B).
    std::uint64_t native = 0;
    std::size_t i = 0;
    for (; i + 4 <= data.size(); i += 4) {
        std::uint32_t word;
        std::memcpy(&word, data.data() + i, sizeof(word));
        native += word;
    }
    if (i != data.size()) {
        std::array<std::byte, 4> rest{};
        std::copy(data.begin() + static_cast<std::ptrdiff_t>(i), data.end(), rest.begin());
        native += std::bit_cast<std::uint32_t>(rest);
    }
    native = (native & 0xffffffff) + (native >> 32);
    native = (native & 0xffff) + (native >> 16 & 0xffff) + (native >> 32);
    native = (native & 0xffff) + (native >> 16);
    native = (native & 0xffff) + (native >> 16);
    const auto folded = static_cast<std::uint16_t>(native);
    const std::uint32_t total =
        sum + (std::endian::native == std::endian::big ? folded : std::byteswap(folded));
    return (total & 0xffff) + (total >> 16);
}

std::uint16_t internet_checksum(std::uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

std::uint32_t icrc(std::span<const std::byte> ip) {
    // The fields that routers may change count as ones, and so does an LRH (8 octets) that is not
    // there.
    constexpr std::size_t kLrh = 8;
    // A short packet's rest is summed together with the head: half the calls.
    constexpr std::size_t kShort = 128;
    std::byte masked[kLrh + sizeof(Ipv6Header) + sizeof(UdpHeader) + sizeof(Bth) + kShort];
    std::memset(masked, 0xff, kLrh);

    const bool v4 = (static_cast<unsigned>(ip[0]) >> 4) == 4;
    const std::size_t ip_bytes = v4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header);
    const std::size_t covered = ip_bytes + sizeof(UdpHeader) + sizeof(Bth);
    const std::size_t copied = ip.size() - covered <= kShort ? ip.size() : covered;
    std::memcpy(masked + kLrh, ip.data(), copied);
    if (v4) {
        auto* header = reinterpret_cast<Ipv4Header*>(masked + kLrh);
        header->tos = 0xff;
        header->ttl = 0xff;
        header->checksum = 0xffff;
    } else {
        auto* header = reinterpret_cast<Ipv6Header*>(masked + kLrh);
        header->version_class_flow = header->version_class_flow | 0x0fffffffu;
        header->hop_limit = 0xff;
    }
    auto* udp = reinterpret_cast<UdpHeader*>(masked + kLrh + ip_bytes);
    udp->checksum = 0xffff;
    auto* bth = reinterpret_cast<Bth*>(masked + kLrh + ip_bytes + sizeof(UdpHeader));
    bth->fecn_becn = 0xff;

    const std::uint32_t crc = crc32_ethernet(0, {masked, kLrh + copied});
    return copied == ip.size() ? crc : crc32_ethernet(crc, ip.subspan(copied));
}

}  // namespace vrnic::roce
