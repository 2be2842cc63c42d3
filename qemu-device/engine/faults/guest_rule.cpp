// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/guest_rule.h"

#include "faults/kinds.h"

namespace vrnic {
namespace {

constexpr std::uint32_t kFlags = VRNIC_FAULT_HAS_QPN | VRNIC_FAULT_HAS_VECTOR |
                                 VRNIC_FAULT_HAS_SEED | VRNIC_FAULT_HAS_OPCODES |
                                 VRNIC_FAULT_SEALED;

OpcodeSet opcodes_of(const vrnic_fault_rule& rule) {
    OpcodeSet out;
    for (std::size_t n = 0; n < out.size(); ++n) out[n] = (rule.opcodes[n / 8] >> n % 8 & 1) != 0;
    return out;
}

// A field that the kind does not take, or one that it cannot do without, is a mistake: what it was
// meant to do would not happen.
bool fits(const FaultKindInfo& info, std::uint32_t key, bool given) {
    return given ? (info.keys & key) != 0 : (info.needs & key) == 0;
}

}  // namespace

AdminResult<FaultRule> from_guest(const vrnic_fault_rule& rule, std::uint32_t rule_offset) {
    const auto wrong = [&](std::size_t field) {
        return admin_error(VRNIC_STATUS_INVALID, rule_offset + static_cast<std::uint32_t>(field));
    };
    if (rule.kind > VRNIC_FAULT_LINK_DOWN) return wrong(offsetof(vrnic_fault_rule, kind));
    const FaultKindInfo& info = fault_kind(static_cast<FaultKind>(rule.kind));
    const std::uint32_t flags = rule.flags;
    const auto has = [&](std::uint32_t flag) { return (flags & flag) != 0; };

    const struct {
        std::uint32_t key;
        bool given;
        std::size_t field;
    } given[] = {
        {kKeyDirection | kKeyQueue, rule.way != 0, offsetof(vrnic_fault_rule, way)},
        {kKeyStatus, rule.status != 0, offsetof(vrnic_fault_rule, status)},
        {kKeyQpn, has(VRNIC_FAULT_HAS_QPN), offsetof(vrnic_fault_rule, qpn)},
        {kKeyVector, has(VRNIC_FAULT_HAS_VECTOR), offsetof(vrnic_fault_rule, vector)},
        {kKeyWhen, rule.nth != 0, offsetof(vrnic_fault_rule, nth)},
        {kKeyWhen, rule.every != 0, offsetof(vrnic_fault_rule, every)},
        {kKeyWhen, rule.first != 0, offsetof(vrnic_fault_rule, first)},
        {kKeyWhen, rule.ppm != VRNIC_FAULT_ALWAYS, offsetof(vrnic_fault_rule, ppm)},
        {kKeyWhen, has(VRNIC_FAULT_HAS_SEED), offsetof(vrnic_fault_rule, seed)},
        {kKeyPackets, rule.packets != 1, offsetof(vrnic_fault_rule, packets)},
        {kKeyTime, rule.time != 0, offsetof(vrnic_fault_rule, time)},
        {kKeyAfter, rule.after != 0, offsetof(vrnic_fault_rule, after)},
        {kKeyOctets, rule.octets != 1, offsetof(vrnic_fault_rule, octets)},
        {kKeyOpcode, has(VRNIC_FAULT_HAS_OPCODES), offsetof(vrnic_fault_rule, opcodes)},
        {kKeySealed, has(VRNIC_FAULT_SEALED), offsetof(vrnic_fault_rule, flags)},
    };
    for (const auto& row : given)
        if (!fits(info, row.key, row.given)) return wrong(row.field);
    if ((flags & ~kFlags) != 0) return wrong(offsetof(vrnic_fault_rule, flags));
    if (rule.way > VRNIC_FAULT_IN) return wrong(offsetof(vrnic_fault_rule, way));
    if (rule.ppm == 0) return wrong(offsetof(vrnic_fault_rule, ppm));

    FaultRule out;
    out.kind = info.kind;
    if (rule.way == VRNIC_FAULT_IN && (info.keys & kKeyQueue) != 0)
        out.queue = WorkQueue::receive;
    else if (rule.way == VRNIC_FAULT_IN)
        out.direction = Direction::in;
    if (has(VRNIC_FAULT_HAS_QPN)) out.qpn = rule.qpn;
    if (has(VRNIC_FAULT_HAS_VECTOR)) out.vector = rule.vector;
    if (has(VRNIC_FAULT_HAS_SEED)) out.seed = rule.seed;
    if (has(VRNIC_FAULT_HAS_OPCODES)) out.opcodes = opcodes_of(rule);
    out.sealed = has(VRNIC_FAULT_SEALED);
    out.nth = rule.nth;
    out.every = rule.every;
    out.first = rule.first;
    out.ppm = rule.ppm;
    out.time = rule.time == 0 ? info.time : static_cast<Nanoseconds>(rule.time);
    out.after = static_cast<Nanoseconds>(rule.after);
    out.packets = rule.packets;
    out.octets = rule.octets;
    out.status = rule.status;
    if (!check_fault(out)) return wrong(offsetof(vrnic_fault_rule, kind));
    return out;
}

vrnic_fault_rule to_guest(const FaultRule& rule) {
    vrnic_fault_rule out{};
    const FaultKindInfo& info = fault_kind(rule.kind);
    out.kind = static_cast<std::uint8_t>(rule.kind);
    const bool in = (info.keys & kKeyQueue) != 0 ? rule.queue == WorkQueue::receive
                                                 : rule.direction == Direction::in;
    out.way = in ? VRNIC_FAULT_IN : VRNIC_FAULT_OUT;
    out.status = rule.status;
    out.flags = (rule.qpn ? VRNIC_FAULT_HAS_QPN : 0) | (rule.vector ? VRNIC_FAULT_HAS_VECTOR : 0) |
                (rule.seed ? VRNIC_FAULT_HAS_SEED : 0) |
                (rule.opcodes.all() ? 0 : VRNIC_FAULT_HAS_OPCODES) |
                (rule.sealed ? VRNIC_FAULT_SEALED : 0);
    out.qpn = rule.qpn.value_or(0);
    out.vector = rule.vector.value_or(0);
    out.seed = rule.seed.value_or(0);
    out.nth = rule.nth;
    out.every = rule.every;
    out.first = rule.first;
    out.ppm = rule.ppm;
    out.packets = rule.packets;
    out.time = static_cast<std::uint64_t>(rule.time);
    out.after = static_cast<std::uint64_t>(rule.after);
    out.octets = rule.octets;
    if (!rule.opcodes.all())
        for (std::size_t n = 0; n < rule.opcodes.size(); ++n)
            if (rule.opcodes[n]) out.opcodes[n / 8] |= static_cast<std::uint8_t>(1 << n % 8);
    return out;
}

}  // namespace vrnic
