// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>

namespace vrnic::sim {
namespace {

std::uint32_t get(std::span<const std::byte> frame, std::size_t offset, int octets) {
    std::uint32_t value = 0;
    for (int i = 0; i < octets; ++i)
        value = value << 8 | static_cast<std::uint8_t>(frame[offset + static_cast<std::size_t>(i)]);
    return value;
}

void put(std::span<std::byte> frame, std::size_t offset, std::uint32_t value, int octets) {
    for (int i = octets - 1; i >= 0; --i, value >>= 8)
        frame[offset + static_cast<std::size_t>(i)] = static_cast<std::byte>(value & 0xff);
}

// Where the IPv4 or IPv6 header begins and which it is.
bool find_ip(std::span<const std::byte> frame, RocePacket& packet) {
    if (frame.size() < 14) return false;
    std::size_t type_at = 12;
    if (get(frame, 12, 2) == 0x8100) type_at = 16;
    if (frame.size() < type_at + 2) return false;
    const std::uint32_t type = get(frame, type_at, 2);
    packet.ip_offset = type_at + 2;
    packet.ipv6 = type == 0x86dd;
    return type == 0x0800 || type == 0x86dd;
}

bool has_aeth(std::uint8_t opcode) {
    return opcode == kReadResponseFirst || opcode == kReadResponseLast ||
           opcode == kReadResponseOnly || opcode == kAcknowledge || opcode == kAtomicAcknowledge;
}

constexpr std::array<const char*, 6> kTransports = {"", "UC ", nullptr, "UD ", nullptr, "XRC "};

// By opcode; nullptr: none.
constexpr std::array<const char*, 0x1e> kNames = {
    "SEND_FIRST",     "SEND_MIDDLE",    "SEND_LAST",     "SEND_LAST_IMM",   "SEND_ONLY",
    "SEND_ONLY_IMM",  "WRITE_FIRST",    "WRITE_MIDDLE",  "WRITE_LAST",      "WRITE_LAST_IMM",
    "WRITE_ONLY",     "WRITE_ONLY_IMM", "READ_REQUEST",  "READ_RESP_FIRST", "READ_RESP_MIDDLE",
    "READ_RESP_LAST", "READ_RESP_ONLY", "ACK",           "ATOMIC_ACK",      "COMPARE_SWAP",
    "FETCH_ADD",      nullptr,          "SEND_LAST_INV", "SEND_ONLY_INV",   nullptr,
    nullptr,          nullptr,          nullptr,         "FLUSH",           "ATOMIC_WRITE"};

}  // namespace

std::optional<RocePacket> parse_roce(std::span<const std::byte> frame) {
    RocePacket packet;
    if (!find_ip(frame, packet)) return std::nullopt;
    const std::size_t ip_header = packet.ipv6 ? 40 : 20;
    packet.udp_offset = packet.ip_offset + ip_header;
    packet.bth_offset = packet.udp_offset + 8;
    if (frame.size() < packet.bth_offset + 12 + 4) return std::nullopt;
    const std::size_t ip_length = packet.ipv6 ? 40 + get(frame, packet.ip_offset + 4, 2)
                                              : get(frame, packet.ip_offset + 2, 2);
    packet.end = packet.ip_offset + ip_length;
    const std::uint32_t protocol = get(frame, packet.ip_offset + (packet.ipv6 ? 6 : 9), 1);
    if (packet.end > frame.size() || ip_length < ip_header + 8 + 12 + 4 || protocol != 17 ||
        get(frame, packet.udp_offset + 2, 2) != 4791)
        return std::nullopt;

    const std::size_t bth = packet.bth_offset;
    packet.transport = static_cast<std::uint8_t>(get(frame, bth, 1) >> 5);
    packet.opcode = static_cast<std::uint8_t>(get(frame, bth, 1) & 0x1f);
    if (packet.transport >= kTransports.size() || !kTransports[packet.transport] ||
        packet.opcode >= kNames.size() || !kNames[packet.opcode])
        return std::nullopt;
    const std::uint32_t flags = get(frame, bth + 1, 1);
    packet.solicited = flags & 0x80;
    packet.pad = flags >> 4 & 3;
    packet.dest_qpn = get(frame, bth + 5, 3);
    packet.ack_request = get(frame, bth + 8, 1) & 0x80;
    packet.psn = get(frame, bth + 9, 3);
    if (has_aeth(packet.opcode)) {
        if (packet.end < bth + 12 + 4 + 4) return std::nullopt;
        packet.syndrome = static_cast<std::uint8_t>(frame[bth + 12]);
    }
    std::uint32_t found = 0;  // the ICRC is sent least significant octet first
    for (std::size_t i = 0; i < 4; ++i)
        found |= static_cast<std::uint32_t>(frame[packet.end - 4 + i]) << (8 * i);
    packet.icrc_good = found == compute_icrc(frame, packet);
    return packet;
}

std::uint32_t compute_icrc(std::span<const std::byte> frame, const RocePacket& packet) {
    std::vector<std::byte> copy(8, std::byte{0xff});  // A17.3.3: eight octets of ones for the LRH
    copy.insert(copy.end(), frame.begin() + static_cast<std::ptrdiff_t>(packet.ip_offset),
                frame.begin() + static_cast<std::ptrdiff_t>(packet.end - 4));
    const auto mask = [&](std::size_t frame_offset, std::size_t octets, std::byte bits) {
        for (std::size_t i = 0; i < octets; ++i)
            copy[frame_offset - packet.ip_offset + 8 + i] |= bits;
    };
    constexpr std::byte kAll{0xff};
    const std::size_t ip = packet.ip_offset;
    if (packet.ipv6) {
        mask(ip, 1, std::byte{0x0f});  // traffic class, flow label
        mask(ip + 1, 3, kAll);
        mask(ip + 7, 1, kAll);  // hop limit
    } else {
        mask(ip + 1, 1, kAll);   // type of service
        mask(ip + 8, 1, kAll);   // time to live
        mask(ip + 10, 2, kAll);  // header checksum
    }
    mask(packet.udp_offset + 6, 2, kAll);  // UDP checksum
    mask(packet.bth_offset + 4, 1, kAll);  // resv8a, where FECN and BECN are
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(copy.data()), static_cast<uInt>(copy.size())));
}

void seal(std::vector<std::byte>& frame) {
    const auto packet = parse_roce(frame);
    if (!packet) return;
    if (!packet->ipv6) {
        put(frame, packet->ip_offset + 10, 0, 2);
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < 20; i += 2) sum += get(frame, packet->ip_offset + i, 2);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        put(frame, packet->ip_offset + 10, ~sum & 0xffff, 2);
    }
    const std::uint32_t icrc = compute_icrc(frame, *packet);
    for (std::size_t i = 0; i < 4; ++i)
        frame[packet->end - 4 + i] = static_cast<std::byte>(icrc >> (8 * i) & 0xff);
}

void put16(std::span<std::byte> f, std::size_t at, std::uint16_t v) {
    put(f, at, v, 2);
}
void put24(std::span<std::byte> f, std::size_t at, std::uint32_t v) {
    put(f, at, v, 3);
}
void put32(std::span<std::byte> f, std::size_t at, std::uint32_t v) {
    put(f, at, v, 4);
}

std::string describe(std::span<const std::byte> frame) {
    const auto packet = parse_roce(frame);
    if (!packet) return fmt::format("{} bytes, not RoCEv2", frame.size());
    return fmt::format("{}{} qp {:#x} psn {:#x}{}{}{} {} bytes{}", kTransports[packet->transport],
                       kNames[packet->opcode], packet->dest_qpn, packet->psn,
                       packet->syndrome ? fmt::format(" syndrome {:#x}", *packet->syndrome) : "",
                       packet->ack_request ? " ackreq" : "", packet->solicited ? " solicited" : "",
                       frame.size(), packet->icrc_good ? "" : " BAD ICRC");
}

}  // namespace vrnic::sim
