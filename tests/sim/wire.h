// SPDX-License-Identifier: GPL-2.0-or-later
// RoCEv2 packets as the tests read and forge them (IBTA vol. 1 ch. 9, annex A17). Independent of
// the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vrnic::sim {

// BTH opcodes, IBTA table 38: bits 4:0; of RC, whose transport is 0, they are whole.
enum RcOpcode : std::uint8_t {
    kSendFirst = 0x00,
    kSendMiddle = 0x01,
    kSendLast = 0x02,
    kSendLastImm = 0x03,
    kSendOnly = 0x04,
    kSendOnlyImm = 0x05,
    kWriteFirst = 0x06,
    kWriteMiddle = 0x07,
    kWriteLast = 0x08,
    kWriteLastImm = 0x09,
    kWriteOnly = 0x0a,
    kWriteOnlyImm = 0x0b,
    kReadRequest = 0x0c,
    kReadResponseFirst = 0x0d,
    kReadResponseMiddle = 0x0e,
    kReadResponseLast = 0x0f,
    kReadResponseOnly = 0x10,
    kAcknowledge = 0x11,
    kAtomicAcknowledge = 0x12,
    kCompareSwap = 0x13,
    kFetchAdd = 0x14,
    kSendLastInvalidate = 0x16,
    kSendOnlyInvalidate = 0x17,
    kFlush = 0x1c,
    kAtomicWrite = 0x1d,
};

// AETH syndromes, IBTA table 45.
inline constexpr std::uint8_t kNakSequence = 0x60;
inline constexpr std::uint8_t kNakInvalid = 0x61;
inline constexpr std::uint8_t kNakAccess = 0x62;
inline constexpr std::uint8_t kNakOperational = 0x63;

struct RocePacket {
    std::size_t ip_offset = 0;
    std::size_t udp_offset = 0;
    std::size_t bth_offset = 0;
    std::size_t end = 0;  // past the ICRC
    bool ipv6 = false;
    std::uint8_t transport = 0;  // 0 RC, 1 UC, 3 UD, 5 XRC
    std::uint8_t opcode = 0;     // without the transport
    bool solicited = false;
    std::uint8_t pad = 0;
    bool ack_request = false;
    std::uint32_t dest_qpn = 0;
    std::uint32_t psn = 0;
    std::optional<std::uint8_t> syndrome;  // acknowledgements and READ responses with AETH
    bool icrc_good = false;

    bool is_ack() const { return opcode == kAcknowledge && *syndrome < 0x20; }
    bool is_nak(std::uint8_t code) const { return opcode == kAcknowledge && *syndrome == code; }
    bool is_rnr_nak() const { return opcode == kAcknowledge && (*syndrome & 0xe0) == 0x20; }
    bool is_read_response() const {
        return opcode >= kReadResponseFirst && opcode <= kReadResponseOnly;
    }
    bool is_atomic_request() const { return opcode == kCompareSwap || opcode == kFetchAdd; }
    bool is_request() const { return opcode <= kReadRequest || opcode >= kCompareSwap; }
    std::uint8_t whole_opcode() const { return static_cast<std::uint8_t>(transport << 5 | opcode); }
};

// nullopt: not a packet of RoCEv2 that is known, or cut short.
std::optional<RocePacket> parse_roce(std::span<const std::byte> frame);

std::uint32_t compute_icrc(std::span<const std::byte> frame, const RocePacket& packet);

// After fields were changed: IPv4 header checksum and ICRC right again.
void seal(std::vector<std::byte>& frame);

void put16(std::span<std::byte> frame, std::size_t offset, std::uint16_t value);
void put24(std::span<std::byte> frame, std::size_t offset, std::uint32_t value);
void put32(std::span<std::byte> frame, std::size_t offset, std::uint32_t value);

std::string describe(std::span<const std::byte> frame);

}  // namespace vrnic::sim
