// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/output.h"

#include <cstring>

#include "roce/parse.h"

namespace vrnic {

namespace {
constexpr std::uint32_t kLoopbackSlots = 64;
}

void LoopbackQueue::push(std::span<const std::byte> frame) {
    Slot& slot = slots_[(head_ + count_++) % slots_.size()];
    slot.size = static_cast<std::uint32_t>(frame.size());
    std::memcpy(slot.frame.data(), frame.data(), frame.size());
}

std::span<const std::byte> LoopbackQueue::front() const {
    return std::span(slots_[head_].frame).first(slots_[head_].size);
}

void LoopbackQueue::pop() {
    head_ = static_cast<std::uint32_t>((head_ + 1) % slots_.size());
    --count_;
}

Output::Output(Wire& wire, Counters& counters, Faults& faults, Streams& streams)
    : wire_(wire),
      counters_(counters),
      faults_(faults),
      streams_(streams),
      loopback_(kLoopbackSlots),
      builder_(std::span<std::byte, roce::kMaxFrame>(buffer_)) {}

bool Output::send(Route route) {
    const auto frame = builder_.finish();
    if (faults_.armed(FaultPoint::packet_out)) [[unlikely]] {
        if (route != Route::loopback) faults_.pass({Direction::out, sender_, false}, frame, *this);
        if (route != Route::wire) faults_.pass({Direction::out, sender_, true}, frame, *this);
    } else {
        // The wire first: what it does not take now is sent again, to both.
        if (route != Route::loopback && !take(frame, false)) return false;
        if (route != Route::wire && !take(frame, true)) return false;
    }
    ++counters_.roce_tx_packets;
    counters_.roce_tx_bytes += frame.size();
    if (streams_.any()) [[unlikely]]
        tell_sent(frame);
    return true;
}

// As it was built: what faults make of it is told by who receives it.
void Output::tell_sent(std::span<const std::byte> frame) {
    streams_.of_qp(sender_, {.what = VRNIC_STREAM_FRAME, .data = frame});
    if (const auto packet = roce::parse(frame))
        streams_.of_qp(
            sender_,
            {.what = VRNIC_STREAM_SENT, .a = packet->psn.value(), .b = packet->opcode->opcode});
}

// To the wire or into the loopback queue.
bool Output::take(std::span<const std::byte> frame, bool loopback) {
    if (blocked(loopback)) return false;
    if (loopback) {
        loopback_.push(frame);
        wire_.passed(Direction::out, frame);
    } else if (link_up_ && wire_.send(frame) == SendResult::paused) {
        paused_ = true;
        ++counters_.wire_pauses;
        return false;
    }
    return true;
}

void Output::reset() {
    paused_ = false;
    loopback_.clear();
}

}  // namespace vrnic
