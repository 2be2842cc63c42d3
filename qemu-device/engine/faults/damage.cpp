// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/damage.h"

#include <algorithm>

#include "roce/checksum.h"

namespace vrnic {
namespace {

void change(std::span<std::byte> octets, std::uint32_t run, Random& random) {
    const std::size_t length = std::min<std::size_t>(run, octets.size());
    const std::size_t at = random.next() % (octets.size() - length + 1);
    for (std::byte& octet : octets.subspan(at, length)) octet ^= std::byte(1 + random.next() % 255);
}

void seal(std::span<std::byte> ip_without_icrc, std::span<std::byte> icrc_field) {
    const std::uint32_t crc = roce::icrc(ip_without_icrc);
    for (std::size_t i = 0; i < icrc_field.size(); ++i)
        icrc_field[i] = static_cast<std::byte>(crc >> (8 * i));
}

}  // namespace

bool damage(std::span<std::byte> frame, const roce::Packet& packet, const FaultRule& rule,
            Random& random) {
    const auto payload = static_cast<std::size_t>(packet.payload.data() - frame.data());
    const std::size_t bth = payload - packet.opcode->header_bytes;
    if (!rule.sealed) {
        // Behind reserved octet 4 of the BTH, which the ICRC does not cover.
        const std::size_t begin = bth + offsetof(roce::Bth, destination_qp);
        change(frame.subspan(begin, payload + packet.payload.size() - begin), rule.octets, random);
        return true;
    }
    if (packet.payload.empty()) return false;
    change(frame.subspan(payload, packet.payload.size()), rule.octets, random);
    const std::size_t pad = (4 - packet.payload.size() % 4) % 4;
    const std::size_t ip = bth - sizeof(roce::UdpHeader) -
                           (packet.ipv4 ? sizeof(roce::Ipv4Header) : sizeof(roce::Ipv6Header));
    const std::size_t icrc = payload + packet.payload.size() + pad;
    seal(frame.subspan(ip, icrc - ip), frame.subspan(icrc, roce::kIcrcSize));
    return true;
}

}  // namespace vrnic
