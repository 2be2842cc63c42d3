// SPDX-License-Identifier: GPL-2.0-or-later
// The wire between hosts: every frame goes to all other ports (as on a hub), with seeded faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/random.h"
#include "host/host.h"
#include "trace.h"
#include "world.h"

namespace vrnic::sim {

class SimHost;

// Chances are in parts per million of frames; faults touch RoCE frames and others alike.
struct LinkFaults {
    std::uint32_t loss = 0;
    std::uint32_t duplicate = 0;
    std::uint32_t reorder = 0;  // is held back by up to reorder_delay, others overtake it
    std::uint32_t corrupt = 0;  // one to three bits behind the Ethernet header, or cut short
    std::uint32_t refuse = 0;   // SendResult::paused, ready again after up to pause_time
    Nanoseconds reorder_delay = 50 * kMicrosecond;
    Nanoseconds pause_time = 20 * kMicrosecond;
};

// What a test wants to do to one frame.
enum class Fate { pass, drop, twice, late, corrupt };

class Link {
  public:
    Link(World& world, Trace& trace, std::uint64_t seed)
        : world_(world), trace_(trace), random_(seed) {}

    std::uint32_t attach(SimHost& host);
    SendResult send(std::uint32_t port, std::span<const std::byte> frame);
    // A frame that no engine made, to all ports but this one.
    void inject(std::uint32_t port, std::span<const std::byte> frame);

    LinkFaults faults;
    Nanoseconds delay_min = 1 * kMicrosecond;
    Nanoseconds delay_max = 2 * kMicrosecond;
    std::uint64_t bytes_per_us = 0;  // 0: no limit
    Nanoseconds queue_time = 0;      // with a limit: what may wait before the sender is paused
    bool immediate = false;          // frames arrive inside the call that sends them
    // When set, is asked first; runs for each frame of each port, numbered from 0.
    std::function<Fate(std::uint32_t port, std::uint64_t number, std::span<const std::byte> frame)>
        filter;

    std::uint64_t frames_sent() const { return number_; }
    std::uint64_t pauses() const { return pauses_; }

  private:
    struct Port {
        SimHost* host;
        Nanoseconds busy_until = 0;
        Nanoseconds last_arrival = 0;
        bool paused = false;
    };

    SendResult pause(std::uint32_t port, Nanoseconds until);
    void arrive(std::uint32_t port, Nanoseconds when, std::vector<std::byte> frame);
    void corrupt(std::vector<std::byte>& frame);

    World& world_;
    Trace& trace_;
    Random random_;
    std::vector<Port> ports_;
    std::uint64_t number_ = 0;
    std::uint64_t pauses_ = 0;
};

}  // namespace vrnic::sim
