// SPDX-License-Identifier: GPL-2.0-or-later
// When acknowledgements, and short answers to READs, go out. Each is a frame: a system call here,
// and a wake-up of the requester's host in the middle of what it sends next. One acknowledgement
// covers all before it (IBTA 9.7.5.1.2: coalescing). So while requests stream in they wait until
// the stream pauses; those of a requester that waits for each go out at the host's next turn. How
// long they wait at most is far below what the device tells as its Local CA ACK Delay
// (IBTA 11.2.1.2).
#pragma once

#include <algorithm>
#include <cstdint>

#include "host/host.h"

namespace vrnic {

class AckCoalescing {
  public:
    // Requests that come, on average, closer than this are a stream.
    static constexpr Nanoseconds kStreamGap = 30'000;
    // So long without a request is the end of a stream, or its pause.
    static constexpr Nanoseconds kPause = 20'000;
    // None waits longer than this for a pause.
    static constexpr Nanoseconds kLongestWait = 400'000;
    // A requester that waits for each answer may be as quick as a stream. When a second request was
    // waited for in vain so many are answered at once; twice as many each time in a row.
    static constexpr std::uint32_t kFewestUnheld = 8;
    static constexpr std::uint32_t kMostUnheld = 1024;

    // A request has come, and is to be acknowledged.
    void note_request(Nanoseconds now) {
        ++waiting_;
        if (unheld_ != 0) --unheld_;
        const Nanoseconds gap = std::min(now - last_request_, kLongestGap);
        mean_gap_ = mean_gap_ - mean_gap_ / 8 + gap / 8;
        last_request_ = now;
        if (deadline_ != kNever) return;
        deadline_ = now + kPause;
        latest_ = now + kLongestWait;
    }

    // They wait for deadline(), not just for the host's next turn.
    bool holds() const { return deadline_ != kNever && mean_gap_ < kStreamGap && unheld_ == 0; }
    Nanoseconds deadline() const { return holds() ? deadline_ : kNever; }

    // Whether they are to go out now. If not, deadline() has moved on with the stream: it is not
    // set anew for each request, since the host would have to set its timer each time.
    bool due(Nanoseconds now) {
        if (!holds()) return true;
        deadline_ = std::min(last_request_ + kPause, latest_);
        return now >= deadline_;
    }
    // None waits any more.
    void released() {
        if (holds()) {
            const bool in_vain = waiting_ == 1;
            if (in_vain) unheld_ = next_unheld_;
            next_unheld_ = in_vain ? std::min(2 * next_unheld_, kMostUnheld) : kFewestUnheld;
        }
        waiting_ = 0;
        deadline_ = kNever;
    }

  private:
    static constexpr Nanoseconds kLongestGap = 200'000;  // a longer one says no more than this

    Nanoseconds mean_gap_ = kLongestGap;
    Nanoseconds last_request_ = 0;
    Nanoseconds deadline_ = kNever;  // kNever: none waits
    Nanoseconds latest_ = 0;
    std::uint32_t waiting_ = 0;  // requests since the last release
    std::uint32_t unheld_ = 0;   // requests that are still to be answered without waiting
    std::uint32_t next_unheld_ = kFewestUnheld;
};

}  // namespace vrnic
