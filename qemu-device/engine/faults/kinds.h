// SPDX-License-Identifier: GPL-2.0-or-later
// What there is to say of each kind of fault: one row each.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "base/counters.h"
#include "faults/rule.h"

namespace vrnic {

// What a rule may say: bits of FaultKindInfo::keys.
enum FaultKey : std::uint32_t {
    kKeyDirection = 1 << 0,
    kKeyQueue = 1 << 1,
    kKeyQpn = 1 << 2,
    kKeyVector = 1 << 3,
    kKeyOpcode = 1 << 4,
    kKeyWhen = 1 << 5,  // nth, every, first, probability, seed
    kKeyTime = 1 << 6,
    kKeyAfter = 1 << 7,
    kKeyPackets = 1 << 8,
    kKeyOctets = 1 << 9,
    kKeySealed = 1 << 10,
    kKeyStatus = 1 << 11,
};

struct FaultKindInfo {
    FaultKind kind;
    const char* name;
    FaultPoint point;     // of packets: packet_out, see fault_point
    std::uint32_t keys;   // that it takes
    std::uint32_t needs;  // of these, those that have to be given
    Nanoseconds time;     // when it is not given
    std::uint64_t Counters::*counter;
};

const FaultKindInfo& fault_kind(FaultKind kind);
const FaultKindInfo* find_fault_kind(std::string_view name);  // nullptr: there is none

FaultPoint fault_point(const FaultRule& rule);

// Whether a rule can be carried out; the error is one line for people.
std::expected<void, std::string> check_fault(const FaultRule& rule);

}  // namespace vrnic
