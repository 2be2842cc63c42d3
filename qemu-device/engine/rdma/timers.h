// SPDX-License-Identifier: GPL-2.0-or-later
// One timer for each of many objects, by index. A heap that is allocated once; moving a deadline
// later, which every acknowledgement does, costs one store: the heap is put right when the old
// deadline comes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/host.h"

namespace vrnic {

class Timers {
  public:
    explicit Timers(std::uint32_t size);

    void set(std::uint32_t index, Nanoseconds deadline);
    void cancel(std::uint32_t index) { deadlines_[index] = kNever; }
    bool running(std::uint32_t index) const { return deadlines_[index] != kNever; }
    void clear();

    // No timer is due before this; it may be earlier than the first deadline. kNever: none runs.
    Nanoseconds next() const;
    struct Due {
        std::uint32_t index;
        Nanoseconds deadline;
    };
    // Takes one timer that is due, the earliest first, of equals the lowest index. It no longer
    // runs.
    std::optional<Due> pop_due(Nanoseconds now);

  private:
    bool before(std::uint32_t a, std::uint32_t b) const;
    void move_up(std::uint32_t place);
    void move_down(std::uint32_t place);
    void remove_top();

    static constexpr std::uint32_t kNowhere = ~0u;
    std::vector<Nanoseconds> deadlines_;  // by index
    std::vector<Nanoseconds> keys_;  // by index: at most the deadline; what the heap is ordered by
    std::vector<std::uint32_t> places_;  // by index: in the heap, or kNowhere
    std::vector<std::uint32_t> heap_;
};

}  // namespace vrnic
