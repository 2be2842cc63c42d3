// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/kinds.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/names.h"
#include "host/log.h"
#include "vrnic_ring.h"

namespace vrnic {
namespace {

using enum FaultKind;

constexpr std::uint32_t kPacket = kKeyDirection | kKeyQpn | kKeyOpcode | kKeyWhen;
constexpr Nanoseconds kMillisecond = 1'000'000;

constexpr auto kKinds = std::to_array<FaultKindInfo>({
    // clang-format off
    {drop,            "drop",            FaultPoint::packet_out, kPacket,                                           0,          0,                 &Counters::faults_dropped_packets},
    {duplicate,       "duplicate",       FaultPoint::packet_out, kPacket | kKeyTime,                                0,          0,                 &Counters::faults_duplicated_packets},
    {delay,           "delay",           FaultPoint::packet_out, kPacket | kKeyTime,                                kKeyTime,   0,                 &Counters::faults_delayed_packets},
    {reorder,         "reorder",         FaultPoint::packet_out, kPacket | kKeyTime | kKeyPackets,                  0,          10 * kMillisecond, &Counters::faults_reordered_packets},
    {corrupt,         "corrupt",         FaultPoint::packet_out, kPacket | kKeyOctets | kKeySealed,                 0,          0,                 &Counters::faults_corrupted_packets},
    {fail_command,    "fail-command",    FaultPoint::command,    kKeyOpcode | kKeyWhen | kKeyStatus,                kKeyStatus, 0,                 &Counters::faults_failed_commands},
    {lose_command,    "lose-command",    FaultPoint::command,    kKeyOpcode | kKeyWhen,                             0,          0,                 &Counters::faults_lost_commands},
    {lose_interrupt,  "lose-interrupt",  FaultPoint::interrupt,  kKeyVector | kKeyWhen,                             0,          0,                 &Counters::faults_lost_interrupts},
    {delay_interrupt, "delay-interrupt", FaultPoint::interrupt,  kKeyVector | kKeyWhen | kKeyTime,                  kKeyTime,   0,                 &Counters::faults_delayed_interrupts},
    {fail_completion, "fail-completion", FaultPoint::completion, kKeyQueue | kKeyQpn | kKeyOpcode | kKeyWhen | kKeyStatus, kKeyStatus, 0,          &Counters::faults_failed_completions},
    {link_down,       "link-down",       FaultPoint::link,       kKeyTime | kKeyAfter,                              0,          0,                 &Counters::faults_link_downs},
    // clang-format on
});

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < kKinds.size(); ++i)
        if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
    return true;
}
static_assert(rows_are_in_order());

std::unexpected<std::string> wrong(const FaultRule& rule, std::string_view what) {
    return std::unexpected(text("{}: {}", fault_kind(rule.kind).name, what));
}

}  // namespace

const FaultKindInfo& fault_kind(FaultKind kind) {
    return kKinds[static_cast<std::size_t>(kind)];
}

const FaultKindInfo* find_fault_kind(std::string_view name) {
    const auto found = std::ranges::find(kKinds, name, &FaultKindInfo::name);
    return found == kKinds.end() ? nullptr : &*found;
}

FaultPoint fault_point(const FaultRule& rule) {
    const FaultPoint point = fault_kind(rule.kind).point;
    return point == FaultPoint::packet_out && rule.direction == Direction::in
               ? FaultPoint::packet_in
               : point;
}

std::expected<void, std::string> check_fault(const FaultRule& rule) {
    if (static_cast<std::size_t>(rule.kind) >= kKinds.size())
        return std::unexpected(std::string("there is no such fault"));
    const FaultKindInfo& info = fault_kind(rule.kind);
    if (rule.ppm > FaultRule::kAlways) return wrong(rule, "its probability is more than 1");
    if (rule.time > kMaxFaultTime || rule.after > kMaxFaultTime)
        return wrong(rule, "a time is longer than an hour");
    if ((info.needs & kKeyTime) != 0 && rule.time == 0) return wrong(rule, "its time is 0");
    if (rule.packets == 0 || rule.packets > kMaxFaultPackets)
        return wrong(rule, "a packet stands back behind 1 to 1000 others");
    if (rule.octets == 0 || rule.octets > kMaxFaultOctets)
        return wrong(rule, "1 to 4 bytes can be changed");
    if (rule.opcodes.none()) return wrong(rule, "it is for no opcode");
    if (rule.kind == fail_command &&
        (rule.status == VRNIC_STATUS_OK || rule.status >= kAdminStatusNames.size()))
        return wrong(rule, "its status is none of a failed command");
    if (rule.kind == fail_completion &&
        (rule.status == VRNIC_WC_SUCCESS || rule.status > VRNIC_WC_GENERAL_ERR))
        return wrong(rule, "its status is none of a failed completion");
    if (rule.kind == fail_completion && rule.queue == WorkQueue::receive && !rule.opcodes.all())
        return wrong(rule, "entries of a receive queue have no opcode");
    return {};
}

}  // namespace vrnic
