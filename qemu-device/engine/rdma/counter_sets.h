// SPDX-License-Identifier: GPL-2.0-or-later
// Sets of counters to which queue pairs are bound. What the device counts while it works for such a
// queue pair its set counts, too: nothing is paid for by those that are bound to none.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/counters.h"
#include "base/id_pool.h"
#include "base/result.h"

namespace vrnic {

class CounterSets {
  public:
    explicit CounterSets(std::uint32_t max) : numbers_(kFirst, max) {}

    AdminResult<std::uint32_t> create() {
        const auto number = numbers_.take();
        if (!number) return admin_error(VRNIC_STATUS_LIMIT);
        if (*number >= sets_.size()) sets_.resize(*number + 1);
        sets_[*number] = std::make_unique<Counters>();
        return *number;
    }

    // users: queue pairs that are bound to it.
    AdminResult<void> destroy(std::uint32_t number, std::uint32_t users) {
        if (!find(number))
            return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
        if (users != 0) return admin_error(VRNIC_STATUS_BUSY);
        sets_[number].reset();
        numbers_.give_back(number);
        return {};
    }

    // nullptr: there is no such set.
    Counters* find(std::uint32_t number) const {
        return number < sets_.size() ? sets_[number].get() : nullptr;
    }

    // Of a set that exists: what was counted since `before` is its own.
    void add(std::uint32_t number, const Counters& before, const Counters& now) {
        sets_[number]->add_difference(before, now);
        all_.add_difference(before, now);
    }

    // What all sets have counted, those that are no more included.
    const Counters& all() const { return all_; }

    void reset() {
        sets_.clear();
        numbers_.reset();
        all_ = Counters{};
    }

  private:
    static constexpr std::uint32_t kFirst = 1;  // 0: none

    IdPool numbers_;
    std::vector<std::unique_ptr<Counters>> sets_;  // by number
    Counters all_;
};

}  // namespace vrnic
