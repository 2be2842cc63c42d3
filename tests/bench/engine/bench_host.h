// SPDX-License-Identifier: GPL-2.0-or-later
// A simulated machine whose frames, once measuring, go through nothing but a ring of buffers: what
// is measured is the engine.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "sim/host.h"

namespace vrnic::bench {

// Frames on their way to one engine.
class FrameRing {
  public:
    bool empty() const { return head_ == tail_; }
    bool full() const { return tail_ - head_ == kSlots; }
    void push(std::span<const std::byte> frame) {
        Slot& slot = slots_[tail_++ % kSlots];
        slot.size = frame.size();
        std::memcpy(slot.bytes.data(), frame.data(), frame.size());
    }
    std::span<const std::byte> front() const {
        const Slot& slot = slots_[head_ % kSlots];
        return std::span(slot.bytes).first(slot.size);
    }
    void pop() { ++head_; }

  private:
    static constexpr std::size_t kSlots = 256;  // as much as a socket holds
    struct Slot {
        std::size_t size = 0;
        std::array<std::byte, 4400> bytes;
    };
    std::vector<Slot> slots_{kSlots};
    std::size_t head_ = 0, tail_ = 0;
};

class BenchHost final : public sim::SimHost {
  public:
    using SimHost::SimHost;

    void begin(FrameRing& out) { out_ = &out; }

    // A turn of the machine's main loop: frames that arrived, then what the engine put off, then
    // its timer. False: there was nothing to do.
    bool turn(Engine& engine, FrameRing& in) {
        bool any = false;
        for (int frames = 0; frames < kFramesPerTurn && !in.empty(); ++frames) {
            if (!engine.can_receive()) break;
            engine.receive_frame(in.front());
            in.pop();
            any = true;
        }
        if (run_wanted_) {
            run_wanted_ = false;
            engine.run();
            any = true;
        }
        if (deadline_ <= now()) {
            deadline_ = kNever;
            engine.on_timer();
            any = true;
        }
        if (paused_ && !out_->full()) {
            paused_ = false;
            engine.wire_ready();
            any = true;
        }
        return any;
    }

    SendResult send_frame(std::span<const std::byte> frame) override {
        if (!out_) return SimHost::send_frame(frame);
        if (out_->full()) {
            paused_ = true;
            return SendResult::paused;
        }
        out_->push(frame);
        return SendResult::sent;
    }
    void schedule_run() override {
        if (!out_) return SimHost::schedule_run();
        run_wanted_ = true;
    }
    void set_timer(Nanoseconds deadline) override {
        if (!out_) return SimHost::set_timer(deadline);
        deadline_ = deadline;
    }
    Nanoseconds deadline() const { return deadline_; }  // of the engine's timer, once measuring

  private:
    // What QEMU's netdev hands over before its main loop goes on: a buffer of 64 KiB full of them.
    static constexpr int kFramesPerTurn = 64;

    FrameRing* out_ = nullptr;
    bool run_wanted_ = false;
    Nanoseconds deadline_ = kNever;
    bool paused_ = false;
};

}  // namespace vrnic::bench
