// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/held_packets.h"

#include <algorithm>
#include <utility>

namespace vrnic {

void HeldPackets::make_room() {
    if (!slots_.empty()) return;
    slots_.resize(kSlots);
    used_.reserve(kSlots);
    free_.reserve(kSlots);
    clear();
}

void HeldPackets::clear() {
    used_.clear();
    free_.clear();
    for (std::uint32_t i = 0; i < slots_.size(); ++i)
        free_.push_back(static_cast<std::uint32_t>(slots_.size()) - 1 - i);
}

HeldPacket* HeldPackets::add(const PacketWay& way, std::span<const std::byte> frame) {
    if (free_.empty() || frame.size() > roce::kMaxFrame) return nullptr;
    const std::uint32_t index = free_.back();
    free_.pop_back();
    used_.push_back(index);
    HeldPacket& packet = slots_[index];
    packet.way = way;
    packet.deadline = kNever;
    packet.behind = 0;
    packet.due = false;
    packet.order = next_order_++;
    packet.size = static_cast<std::uint32_t>(frame.size());
    std::ranges::copy(frame, packet.bytes.begin());
    return &packet;
}

void HeldPackets::note_passed(const PacketWay& way, Nanoseconds now) {
    for (const std::uint32_t index : used_) {
        HeldPacket& packet = slots_[index];
        if (packet.behind == 0 || packet.way.direction != way.direction ||
            packet.way.qpn != way.qpn || --packet.behind != 0)
            continue;
        packet.due = true;
        packet.deadline = std::min(packet.deadline, now);
    }
}

void HeldPackets::note_time(Nanoseconds now) {
    for (const std::uint32_t index : used_)
        if (slots_[index].deadline <= now) slots_[index].due = true;
}

void HeldPackets::release_all(Nanoseconds now) {
    for (const std::uint32_t index : used_) {
        slots_[index].due = true;
        slots_[index].deadline = std::min(slots_[index].deadline, now);
    }
}

Nanoseconds HeldPackets::next_deadline() const {
    Nanoseconds next = kNever;
    for (const std::uint32_t index : used_)
        if (!slots_[index].due) next = std::min(next, slots_[index].deadline);
    return next;
}

const HeldPacket* HeldPackets::first_due(Direction direction, bool loopback) const {
    const HeldPacket* first = nullptr;
    for (const std::uint32_t index : used_) {
        const HeldPacket& packet = slots_[index];
        if (!packet.due || packet.way.direction != direction || packet.way.loopback != loopback)
            continue;
        if (!first ||
            std::pair(packet.deadline, packet.order) < std::pair(first->deadline, first->order))
            first = &packet;
    }
    return first;
}

void HeldPackets::take_off(const HeldPacket& packet) {
    const auto index = static_cast<std::uint32_t>(&packet - slots_.data());
    const auto found = std::ranges::find(used_, index);
    if (found == used_.end()) return;
    used_.erase(found);
    free_.push_back(index);
}

}  // namespace vrnic
