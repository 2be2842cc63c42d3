// SPDX-License-Identifier: GPL-2.0-or-later
// Frames that came while the engine was busy: a ring of fixed slots, allocated once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace vrnic {

class FrameBacklog {
  public:
    // max_frame: bytes; a longer frame is kept cut to one byte more, so that it is still seen to be
    // too long.
    FrameBacklog(std::size_t slots, std::size_t max_frame)
        : slot_size_(max_frame + 1), sizes_(slots), storage_(slots * slot_size_) {}

    bool empty() const { return count_ == 0; }
    bool full() const { return count_ == sizes_.size(); }
    std::size_t size() const { return count_; }

    // Must not be full.
    void push(std::span<const std::byte> frame) {
        const std::size_t slot = (first_ + count_) % sizes_.size();
        sizes_[slot] = std::min(frame.size(), slot_size_);
        std::copy_n(frame.begin(), sizes_[slot], storage_.begin() + slot * slot_size_);
        ++count_;
    }

    // Must not be empty. Holds until pop.
    std::span<const std::byte> front() const {
        return std::span(storage_).subspan(first_ * slot_size_, sizes_[first_]);
    }
    void pop() {
        first_ = (first_ + 1) % sizes_.size();
        --count_;
    }
    void clear() { first_ = count_ = 0; }

  private:
    std::size_t slot_size_;
    std::vector<std::size_t> sizes_;
    std::vector<std::byte> storage_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace vrnic
