// SPDX-License-Identifier: GPL-2.0-or-later
// Packets that were held back on their way: a bounded number, in slots that are allocated when
// rules about packets are given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/direction.h"
#include "host/host.h"
#include "roce/headers.h"

namespace vrnic {

// Where a packet is going.
struct PacketWay {
    Direction direction = Direction::out;
    std::uint32_t qpn = 0;  // of this device
    bool loopback = false;  // out: to this device itself
};

struct HeldPacket {
    PacketWay way;
    Nanoseconds deadline = kNever;
    std::uint32_t behind = 0;  // so many of its QP and direction go before it; 0: only time counts
    bool due = false;
    std::uint64_t order = 0;  // in which they were held
    std::uint32_t size = 0;
    std::array<std::byte, roce::kMaxFrame> bytes;

    std::span<const std::byte> frame() const { return std::span(bytes).first(size); }
};

class HeldPackets {
  public:
    static constexpr std::uint32_t kSlots = 128;

    void make_room();  // nothing can be held before
    bool empty() const { return used_.empty(); }
    void clear();

    // A copy of the frame. nullptr: there is no room for it, or it is too long. Holds until the
    // next call of add or take_off.
    HeldPacket* add(const PacketWay& way, std::span<const std::byte> frame);

    // One more of this QP and direction has gone on: those that stood back behind it become due.
    void note_passed(const PacketWay& way, Nanoseconds now);
    void note_time(Nanoseconds now);    // those whose deadline has come become due
    void release_all(Nanoseconds now);  // all become due
    Nanoseconds next_deadline() const;

    // Of those that are due in a direction, to this device itself or not: the one with the earliest
    // deadline, of equals the one that was held first. nullptr: none.
    const HeldPacket* first_due(Direction direction, bool loopback) const;
    void take_off(const HeldPacket& packet);

  private:
    std::vector<HeldPacket> slots_;
    std::vector<std::uint32_t> used_;  // indices of slots
    std::vector<std::uint32_t> free_;
    std::uint64_t next_order_ = 0;
};

}  // namespace vrnic
