// SPDX-License-Identifier: GPL-2.0-or-later
#include "roce/opcode.h"

#include <array>

#include "roce/headers.h"

namespace vrnic::roce {

namespace {

using enum Operation;
using enum Position;

constexpr OpcodeInfo kRows[] = {
    // clang-format off
    {kSendFirst,          "SEND_FIRST",           send,            first,  0,                     Payload::full,  true},
    {kSendMiddle,         "SEND_MIDDLE",          send,            middle, 0,                     Payload::full,  true},
    {kSendLast,           "SEND_LAST",            send,            last,   0,                     Payload::some,  true},
    {kSendLastImm,        "SEND_LAST_IMM",        send,            last,   kImmDt,                Payload::some,  true},
    {kSendOnly,           "SEND_ONLY",            send,            only,   0,                     Payload::maybe, true},
    {kSendOnlyImm,        "SEND_ONLY_IMM",        send,            only,   kImmDt,                Payload::maybe, true},
    {kWriteFirst,         "WRITE_FIRST",          write,           first,  kReth,                 Payload::full,  true},
    {kWriteMiddle,        "WRITE_MIDDLE",         write,           middle, 0,                     Payload::full,  true},
    {kWriteLast,          "WRITE_LAST",           write,           last,   0,                     Payload::some,  true},
    {kWriteLastImm,       "WRITE_LAST_IMM",       write,           last,   kImmDt,                Payload::some,  true},
    {kWriteOnly,          "WRITE_ONLY",           write,           only,   kReth,                 Payload::maybe, true},
    {kWriteOnlyImm,       "WRITE_ONLY_IMM",       write,           only,   kReth | kImmDt,        Payload::maybe, true},
    {kReadRequest,        "READ_REQUEST",         read_request,    only,   kReth,                 Payload::none,  true},
    {kReadResponseFirst,  "READ_RESPONSE_FIRST",  read_response,   first,  kAeth,                 Payload::full,  true},
    {kReadResponseMiddle, "READ_RESPONSE_MIDDLE", read_response,   middle, 0,                     Payload::full,  true},
    {kReadResponseLast,   "READ_RESPONSE_LAST",   read_response,   last,   kAeth,                 Payload::some,  true},
    {kReadResponseOnly,   "READ_RESPONSE_ONLY",   read_response,   only,   kAeth,                 Payload::maybe, true},
    {kAcknowledge,        "ACKNOWLEDGE",          acknowledge,     only,   kAeth,                 Payload::none,  true},
    {kAtomicAcknowledge,  "ATOMIC_ACKNOWLEDGE",   atomic_response, only,   kAeth | kAtomicAckEth, Payload::none,  false},
    {kCompareSwap,        "COMPARE_SWAP",         atomic_request,  only,   kAtomicEth,            Payload::none,  false},
    {kFetchAdd,           "FETCH_ADD",            atomic_request,  only,   kAtomicEth,            Payload::none,  false},
    {kSendLastInvalidate, "SEND_LAST_INVALIDATE", send,            last,   kIeth,                 Payload::some,  false},
    {kSendOnlyInvalidate, "SEND_ONLY_INVALIDATE", send,            only,   kIeth,                 Payload::maybe, false},
    // clang-format on
};

constexpr auto kTable = [] {
    std::array<OpcodeInfo, 256> table{};
    for (unsigned i = 0; i < table.size(); ++i)
        table[i] = {static_cast<std::uint8_t>(i), "UNKNOWN", none, only, 0, Payload::maybe, false};
    for (const OpcodeInfo& row : kRows) table[row.opcode] = row;
    return table;
}();

}  // namespace

std::uint32_t OpcodeInfo::header_bytes() const {
    std::size_t bytes = sizeof(Bth);
    if (has(kReth)) bytes += sizeof(Reth);
    if (has(kAtomicEth)) bytes += sizeof(AtomicEth);
    if (has(kAeth)) bytes += sizeof(Aeth);
    if (has(kAtomicAckEth)) bytes += sizeof(AtomicAckEth);
    if (has(kImmDt)) bytes += sizeof(ImmDt);
    if (has(kIeth)) bytes += sizeof(Ieth);
    return static_cast<std::uint32_t>(bytes);
}

bool OpcodeInfo::allows(std::uint32_t payload_bytes, std::uint32_t mtu) const {
    switch (payload) {
        case Payload::none:
            return payload_bytes == 0;
        case Payload::full:
            return payload_bytes == mtu;
        case Payload::some:
            return payload_bytes >= 1 && payload_bytes <= mtu;
        case Payload::maybe:
            return payload_bytes <= mtu;
    }
    return false;
}

const OpcodeInfo& opcode_info(std::uint8_t opcode) {
    return kTable[opcode];
}

}  // namespace vrnic::roce
