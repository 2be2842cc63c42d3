// SPDX-License-Identifier: GPL-2.0-or-later
// The virtual clock and what is due on it. Events of the same time run in the order they were made.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "host/host.h"

namespace vrnic::sim {

inline constexpr Nanoseconds kMicrosecond = 1000;
inline constexpr Nanoseconds kMillisecond = 1000 * kMicrosecond;
inline constexpr Nanoseconds kSecond = 1000 * kMillisecond;

class World {
  public:
    using Action = std::function<void()>;
    using EventId = std::pair<Nanoseconds, std::uint64_t>;

    Nanoseconds now() const { return now_; }

    // A time that has passed counts as now.
    EventId at(Nanoseconds time, Action action) {
        const EventId id{time < now_ ? now_ : time, next_++};
        events_.emplace(id, std::move(action));
        return id;
    }
    EventId after(Nanoseconds delay, Action action) { return at(now_ + delay, std::move(action)); }
    void cancel(const EventId& id) { events_.erase(id); }

    // Runs the next event. False: there is none.
    bool step() {
        if (events_.empty()) return false;
        auto node = events_.extract(events_.begin());
        now_ = node.key().first;
        node.mapped()();
        return true;
    }

    // Runs events until done() or until the time is up. False: not done. Nothing left to happen
    // ends it early.
    template <typename Done>
    [[nodiscard]] bool run_until(Done&& done, Nanoseconds time_limit) {
        const Nanoseconds end = now_ + time_limit;
        for (std::uint64_t steps = 0; steps < kMaxSteps; ++steps) {
            if (done()) return true;
            if (events_.empty() || events_.begin()->first.first > end) return false;
            step();
        }
        return false;  // events without end at (nearly) the same time
    }

    // Lets this much time pass.
    void run_for(Nanoseconds time) {
        const Nanoseconds end = now_ + time;
        while (!events_.empty() && events_.begin()->first.first <= end) step();
        now_ = end;
    }

  private:
    static constexpr std::uint64_t kMaxSteps = 20'000'000;

    Nanoseconds now_ = kMillisecond;
    std::uint64_t next_ = 0;
    std::map<EventId, Action> events_;
};

}  // namespace vrnic::sim
