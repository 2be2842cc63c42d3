// SPDX-License-Identifier: GPL-2.0-or-later
// Queue pairs that have something to do, in the order in which they became ready; each at most
// once.
#pragma once

#include <cstdint>
#include <vector>

namespace vrnic {

class ReadyList {
  public:
    explicit ReadyList(std::uint32_t size) : ring_(size), queued_(size, false) {}

    bool empty() const { return count_ == 0; }
    std::uint32_t size() const { return count_; }

    void push(std::uint32_t index) {
        if (queued_[index]) return;
        queued_[index] = true;
        ring_[(head_ + count_++) % ring_.size()] = index;
    }

    // Before all others.
    void push_front(std::uint32_t index) {
        if (queued_[index]) return;
        queued_[index] = true;
        head_ = static_cast<std::uint32_t>((head_ + ring_.size() - 1) % ring_.size());
        ring_[head_] = index;
        ++count_;
    }

    // The one that `place` others are before; place is below size().
    std::uint32_t at(std::uint32_t place) const { return ring_[(head_ + place) % ring_.size()]; }
    // Not empty.
    std::uint32_t pop() {
        const std::uint32_t index = ring_[head_];
        head_ = static_cast<std::uint32_t>((head_ + 1) % ring_.size());
        --count_;
        queued_[index] = false;
        return index;
    }

    void clear() {
        while (!empty()) pop();
    }

  private:
    std::vector<std::uint32_t> ring_;
    std::vector<bool> queued_;
    std::uint32_t head_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace vrnic
