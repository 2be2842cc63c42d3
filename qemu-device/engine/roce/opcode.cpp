// SPDX-License-Identifier: GPL-2.0-or-later
#include "roce/opcode.h"

#include <array>

#include "roce/headers.h"

namespace vrnic::roce {

namespace {

using enum Operation;
using enum Position;

// Of RC. The others have a part of these, with headers of their own.
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

constexpr OpcodeInfo kCongestionRow = {
    kCongestionNotification, "CONGESTION_NOTIFICATION", congestion, only, kCnp, Payload::none};

// IBTA table 38: UC has SEND and WRITE, UD a SEND of one packet, neither with invalidate.
constexpr bool uc_has(const OpcodeInfo& row) {
    return (row.operation == send || row.operation == write) && (row.headers & kIeth) == 0;
}
constexpr bool ud_has(const OpcodeInfo& row) {
    return row.operation == send && row.position == only && (row.headers & kIeth) == 0;
}

constexpr std::uint8_t bytes_of_headers(const OpcodeInfo& info) {
    std::size_t bytes = sizeof(Bth);
    if (info.has(kXrceth)) bytes += sizeof(Xrceth);
    if (info.has(kDeth)) bytes += sizeof(Deth);
    if (info.has(kFeth)) bytes += sizeof(Feth);
    if (info.has(kReth)) bytes += sizeof(Reth);
    if (info.has(kAtomicEth)) bytes += sizeof(AtomicEth);
    if (info.has(kAeth)) bytes += sizeof(Aeth);
    if (info.has(kAtomicAckEth)) bytes += sizeof(AtomicAckEth);
    if (info.has(kImmDt)) bytes += sizeof(ImmDt);
    if (info.has(kIeth)) bytes += sizeof(Ieth);
    if (info.has(kCnp)) bytes += sizeof(CnpReserved);
    return static_cast<std::uint8_t>(bytes);
}

constexpr auto kTable = [] {
    std::array<OpcodeInfo, 256> table{};
    for (unsigned i = 0; i < table.size(); ++i)
        table[i] = {static_cast<std::uint8_t>(i), "UNKNOWN", none, only, 0, Payload::maybe};
    const auto add = [&table](Service service, OpcodeInfo row, std::uint16_t headers) {
        row.opcode = with_service(service, static_cast<Opcode>(row.opcode));
        row.headers |= headers;
        table[row.opcode] = row;
    };
    for (const OpcodeInfo& row : kRows) {
        add(Service::rc, row, 0);
        if (uc_has(row)) add(Service::uc, row, 0);
        if (ud_has(row)) add(Service::ud, row, kDeth);
        add(Service::xrc, row, row.is_request() ? kXrceth : 0);
    }
    table[kCongestionRow.opcode] = kCongestionRow;
    for (OpcodeInfo& row : table) row.header_bytes = bytes_of_headers(row);
    return table;
}();

}  // namespace

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
