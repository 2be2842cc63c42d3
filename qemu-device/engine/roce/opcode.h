// SPDX-License-Identifier: GPL-2.0-or-later
// Transport opcodes of the BTH, one row each (IBTA 9.2.1 table 38).
#pragma once

#include <cstdint>

namespace vrnic::roce {

// Transport service: bits 7:5 of an opcode.
enum class Service : std::uint8_t {
    rc = 0,
    uc = 1,
    ud = 3,
    congestion = 4,  // annex A17.9
    xrc = 5,         // annex A14
};

// What a packet is part of.
enum class Operation : std::uint8_t {
    send,
    write,
    read_request,
    read_response,
    acknowledge,
    atomic_request,
    atomic_response,
    atomic_write,
    flush,
    congestion,  // a notification
    none,        // no such opcode
};

enum class Position : std::uint8_t { first, middle, last, only };

// Extension headers that follow the BTH, in this order.
enum Header : std::uint16_t {
    kReth = 1 << 0,
    kAtomicEth = 1 << 1,
    kAeth = 1 << 2,
    kAtomicAckEth = 1 << 3,
    kImmDt = 1 << 4,
    kIeth = 1 << 5,
    kFeth = 1 << 6,    // before the RETH
    kXrceth = 1 << 7,  // first
    kDeth = 1 << 8,
    kCnp = 1 << 9,
};

// How much payload the opcode allows; mtu is that of the path.
enum class Payload : std::uint8_t {
    none,
    full,   // exactly mtu
    some,   // 1..mtu
    maybe,  // 0..mtu
    word,   // 8
};

struct OpcodeInfo {
    std::uint8_t opcode;
    const char* name;  // the same for all services
    Operation operation;
    Position position;
    std::uint16_t headers;
    Payload payload;
    std::uint8_t header_bytes = 0;  // of the BTH and all extension headers

    Service service() const { return static_cast<Service>(opcode >> 5); }
    constexpr bool is_request() const {
        return operation == Operation::send || operation == Operation::write ||
               operation == Operation::read_request || operation == Operation::atomic_request ||
               operation == Operation::atomic_write || operation == Operation::flush;
    }
    bool starts() const { return position == Position::first || position == Position::only; }
    bool ends() const { return position == Position::last || position == Position::only; }
    constexpr bool has(Header header) const { return (headers & header) != 0; }
    bool allows(std::uint32_t payload_bytes, std::uint32_t mtu) const;
};

// Opcodes without their service; for RC, which is 0, they are whole.
enum Opcode : std::uint8_t {
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
    kNotification = 0x01,  // Service::congestion only
};

inline constexpr std::uint8_t kOpcodeMask = 0x1f;
constexpr std::uint8_t with_service(Service service, Opcode opcode) {
    return static_cast<std::uint8_t>(static_cast<unsigned>(service) << 5 | opcode);
}
inline constexpr std::uint8_t kCongestionNotification =
    with_service(Service::congestion, kNotification);

// The row of any opcode; unknown ones have Operation::none.
const OpcodeInfo& opcode_info(std::uint8_t opcode);

}  // namespace vrnic::roce
