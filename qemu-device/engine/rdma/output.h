// SPDX-License-Identifier: GPL-2.0-or-later
// Where packets leave: one buffer in which a frame is built, the wire, and the queue of packets to
// this device itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/counters.h"
#include "capture/wire.h"
#include "faults/faults.h"
#include "roce/build.h"
#include "streams/streams.h"

namespace vrnic {

// Packets of this device to itself; delivered from Transport::run(), so that nothing recurses.
class LoopbackQueue {
  public:
    explicit LoopbackQueue(std::uint32_t slots) : slots_(slots) {}

    bool empty() const { return count_ == 0; }
    bool full() const { return count_ == slots_.size(); }
    void push(std::span<const std::byte> frame);  // not full
    std::span<const std::byte> front() const;     // not empty; holds until pop()
    void pop();
    void clear() { count_ = 0; }

  private:
    struct Slot {
        std::uint32_t size = 0;
        std::array<std::byte, roce::kMaxFrame> frame;
    };
    std::vector<Slot> slots_;
    std::uint32_t head_ = 0;
    std::uint32_t count_ = 0;
};

enum class Route : std::uint8_t { wire, loopback, both };

class Output final : private PacketSink {
  public:
    Output(Wire& wire, Counters& counters, Faults& faults, Streams& streams);

    // The wire, or the loopback queue, takes nothing now; what one wants to send is to be built
    // again later.
    bool blocked(Route route) const {
        return (route != Route::wire && loopback_.full()) || (route != Route::loopback && paused_);
    }
    bool blocked(bool loopback) const { return blocked(loopback ? Route::loopback : Route::wire); }

    // begin() only when not blocked; fill the payload, then send().
    std::span<std::byte> begin(const roce::PathHeaders& path, const roce::PacketFields& fields,
                               std::uint32_t payload_bytes) {
        sender_ = path.source_qp;
        return builder_.begin(path, fields, payload_bytes);
    }
    // False: not taken; try again after wire_ready().
    [[nodiscard]] bool send(Route route);
    [[nodiscard]] bool send(bool loopback) {
        return send(loopback ? Route::loopback : Route::wire);
    }
    // What faults held back and is due.
    void release_held() { faults_.release(Direction::out, *this); }

    bool paused() const { return paused_; }
    void wire_ready() { paused_ = false; }
    void set_link(bool up) { link_up_ = up; }
    void reset();

    LoopbackQueue& loopback() { return loopback_; }

  private:
    bool take(std::span<const std::byte> frame, bool loopback) override;
    void tell_sent(std::span<const std::byte> frame);

    Wire& wire_;
    Counters& counters_;
    Faults& faults_;
    Streams& streams_;
    std::uint32_t sender_ = 0;  // QPN of the packet that is being built
    bool paused_ = false;
    bool link_up_ = true;
    LoopbackQueue loopback_;
    std::array<std::byte, roce::kMaxFrame> buffer_;
    roce::FrameBuilder builder_;
};

}  // namespace vrnic
