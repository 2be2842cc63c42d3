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
    {kSendFirst,          "SEND_FIRST",           send,            first,  0,                     Payload::full},
    {kSendMiddle,         "SEND_MIDDLE",          send,            middle, 0,                     Payload::full},
    {kSendLast,           "SEND_LAST",            send,            last,   0,                     Payload::some},
    {kSendLastImm,        "SEND_LAST_IMM",        send,            last,   kImmDt,                Payload::some},
    {kSendOnly,           "SEND_ONLY",            send,            only,   0,                     Payload::maybe},
    {kSendOnlyImm,        "SEND_ONLY_IMM",        send,            only,   kImmDt,                Payload::maybe},
    {kWriteFirst,         "WRITE_FIRST",          write,           first,  kReth,                 Payload::full},
    {kWriteMiddle,        "WRITE_MIDDLE",         write,           middle, 0,                     Payload::full},
    {kWriteLast,          "WRITE_LAST",           write,           last,   0,                     Payload::some},
    {kWriteLastImm,       "WRITE_LAST_IMM",       write,           last,   kImmDt,                Payload::some},
    {kWriteOnly,          "WRITE_ONLY",           write,           only,   kReth,                 Payload::maybe},
    {kWriteOnlyImm,       "WRITE_ONLY_IMM",       write,           only,   kReth | kImmDt,        Payload::maybe},
    {kReadRequest,        "READ_REQUEST",         read_request,    only,   kReth,                 Payload::none},
    {kReadResponseFirst,  "READ_RESPONSE_FIRST",  read_response,   first,  kAeth,                 Payload::full},
    {kReadResponseMiddle, "READ_RESPONSE_MIDDLE", read_response,   middle, 0,                     Payload::full},
    {kReadResponseLast,   "READ_RESPONSE_LAST",   read_response,   last,   kAeth,                 Payload::some},
    {kReadResponseOnly,   "READ_RESPONSE_ONLY",   read_response,   only,   kAeth,                 Payload::maybe},
    {kAcknowledge,        "ACKNOWLEDGE",          acknowledge,     only,   kAeth,                 Payload::none},
    {kAtomicAcknowledge,  "ATOMIC_ACKNOWLEDGE",   atomic_response, only,   kAeth | kAtomicAckEth, Payload::none},
    {kCompareSwap,        "COMPARE_SWAP",         atomic_request,  only,   kAtomicEth,            Payload::none},
    {kFetchAdd,           "FETCH_ADD",            atomic_request,  only,   kAtomicEth,            Payload::none},
    {kSendLastInvalidate, "SEND_LAST_INVALIDATE", send,            last,   kIeth,                 Payload::some},
    {kSendOnlyInvalidate, "SEND_ONLY_INVALIDATE", send,            only,   kIeth,                 Payload::maybe},
    {kFlush,              "FLUSH",                flush,           only,   kFeth | kReth,         Payload::none},
    {kAtomicWrite,        "ATOMIC_WRITE",         atomic_write,    only,   kReth,                 Payload::word},
    // clang-format on
};

constexpr auto kTable = [] {
    std::array<OpcodeInfo, 256> table{};
    for (unsigned i = 0; i < table.size(); ++i)
        table[i] = {static_cast<std::uint8_t>(i), "UNKNOWN", none, only, 0, Payload::maybe};
    for (const OpcodeInfo& row : kRows) table[row.opcode] = row;
    return table;
}();

}  // namespace

std::uint32_t OpcodeInfo::header_bytes() const {
    std::size_t bytes = sizeof(Bth);
    if (has(kFeth)) bytes += sizeof(Feth);
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
        case Payload::word:
            return payload_bytes == 8;
    }
    return false;
}

const OpcodeInfo& opcode_info(std::uint8_t opcode) {
    return kTable[opcode];
}

}  // namespace vrnic::roce
