// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/timers.h"

#include <utility>

namespace vrnic {

Timers::Timers(std::uint32_t size)
    : deadlines_(size, kNever), keys_(size, kNever), places_(size, kNowhere) {
    heap_.reserve(size);
}

bool Timers::before(std::uint32_t a, std::uint32_t b) const {
    return keys_[a] != keys_[b] ? keys_[a] < keys_[b] : a < b;
}

void Timers::move_up(std::uint32_t place) {
    while (place > 0) {
        const std::uint32_t parent = (place - 1) / 2;
        if (!before(heap_[place], heap_[parent])) break;
        std::swap(heap_[place], heap_[parent]);
        places_[heap_[place]] = place;
        place = parent;
    }
    places_[heap_[place]] = place;
}

void Timers::move_down(std::uint32_t place) {
    const auto size = static_cast<std::uint32_t>(heap_.size());
    for (;;) {
        std::uint32_t first = place;
        for (std::uint32_t child = 2 * place + 1; child <= 2 * place + 2 && child < size; ++child)
            if (before(heap_[child], heap_[first])) first = child;
        if (first == place) break;
        std::swap(heap_[place], heap_[first]);
        places_[heap_[place]] = place;
        place = first;
    }
    places_[heap_[place]] = place;
}

void Timers::remove_top() {
    places_[heap_[0]] = kNowhere;
    heap_[0] = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) move_down(0);
}

void Timers::set(std::uint32_t index, Nanoseconds deadline) {
    deadlines_[index] = deadline;
    if (deadline == kNever) return;
    if (places_[index] == kNowhere) {
        keys_[index] = deadline;
        places_[index] = static_cast<std::uint32_t>(heap_.size());
        heap_.push_back(index);
        move_up(places_[index]);
    } else if (deadline < keys_[index]) {
        keys_[index] = deadline;
        move_up(places_[index]);
    }
}

void Timers::clear() {
    for (std::uint32_t index : heap_) {
        deadlines_[index] = kNever;
        places_[index] = kNowhere;
    }
    heap_.clear();
}

Nanoseconds Timers::next() const {
    return heap_.empty() ? kNever : keys_[heap_[0]];
}

std::optional<Timers::Due> Timers::pop_due(Nanoseconds now) {
    while (!heap_.empty() && keys_[heap_[0]] <= now) {
        const std::uint32_t index = heap_[0];
        const Nanoseconds deadline = deadlines_[index];
        if (deadline == kNever) {  // was cancelled
            remove_top();
        } else if (deadline > now) {  // was moved
            keys_[index] = deadline;
            move_down(0);
        } else {
            remove_top();
            deadlines_[index] = kNever;
            return Due{index, deadline};
        }
    }
    return std::nullopt;
}

}  // namespace vrnic
