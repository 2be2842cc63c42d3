// SPDX-License-Identifier: GPL-2.0-or-later
// Transport opcodes of the BTH, one row each (IBTA 9.2.1 table 38).
#pragma once

#include <cstdint>

namespace vrnic::roce {

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
    none,  // no such opcode
};

enum class Position : std::uint8_t { first, middle, last, only };

// Extension headers that follow the BTH, in this order.
enum Header : std::uint8_t {
    kReth = 1 << 0,
    kAtomicEth = 1 << 1,
    kAeth = 1 << 2,
    kAtomicAckEth = 1 << 3,
    kImmDt = 1 << 4,
    kIeth = 1 << 5,
    kFeth = 1 << 6,  // before the RETH
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
    const char* name;
    Operation operation;
    Position position;
    std::uint8_t headers;
    Payload payload;

    bool is_request() const {
        return operation == Operation::send || operation == Operation::write ||
               operation == Operation::read_request || operation == Operation::atomic_request ||
               operation == Operation::atomic_write || operation == Operation::flush;
    }
    bool starts() const { return position == Position::first || position == Position::only; }
    bool ends() const { return position == Position::last || position == Position::only; }
    bool has(Header header) const { return (headers & header) != 0; }
    std::uint32_t header_bytes() const;  // of the BTH and all extension headers
    bool allows(std::uint32_t payload_bytes, std::uint32_t mtu) const;
};

// RC opcodes; the transport is in bits 7:5.
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
};

// The row of any opcode; unknown ones have Operation::none.
const OpcodeInfo& opcode_info(std::uint8_t opcode);

}  // namespace vrnic::roce
