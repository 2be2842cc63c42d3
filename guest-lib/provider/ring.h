// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace vrnic {

inline constexpr size_t kCacheLine = 64;  // bytes

// Smallest n with 2^n >= value; value at most 2^31.
constexpr uint8_t log2_ceil(uint32_t value) {
    return value <= 1 ? 0 : static_cast<uint8_t>(std::bit_width(value - 1));
}

constexpr size_t align_up(size_t value, size_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

// A ring of 2^log_size entries of 2^log_stride bytes somewhere in memory. Does not own the memory.
class Ring {
  public:
    Ring() = default;
    Ring(std::byte* base, uint8_t log_size, uint8_t log_stride)
        : base_(base), size_(1u << log_size), log_stride_(log_stride) {}

    uint32_t size() const { return size_; }
    size_t stride() const { return size_t{1} << log_stride_; }
    // Where the entry of a free running index is.
    uint32_t position(uint64_t index) const { return static_cast<uint32_t>(index) & (size_ - 1); }
    std::byte* entry(uint64_t index) const {
        return base_ + (static_cast<size_t>(position(index)) << log_stride_);
    }

  private:
    std::byte* base_ = nullptr;
    uint32_t size_ = 0;  // a power of two, or 0: no ring
    uint8_t log_stride_ = 0;
};

// The indices of a work queue: how much was posted, and how much of it is known to be done. Free
// running, modulo 2^32, so that only their difference counts. One thread at a time posts (under the
// queue's lock) while another retires (under the completion queue's).
class PostedRange {
  public:
    // How many entries fit. 0 at first: no room.
    void set_capacity(uint32_t entries) { capacity_ = entries; }

    uint32_t produced() const { return produced_; }
    // Poster only: entries up to, not including, `index` are posted.
    void produce_to(uint32_t index) { produced_ = index; }
    // Poster only: is there a place for the entry of `index`?
    bool has_room_at(uint32_t index) const {
        return index - retired_.load(std::memory_order_acquire) < capacity_;
    }
    // Entries up to and including `index` are done: an entry that asked for no completion is done
    // when a later one of its queue is.
    void retire_through(uint32_t index) { retired_.store(index + 1, std::memory_order_release); }
    // The oldest entry that is not known to be done, unless all are. The latter: poster only.
    uint32_t retired() const { return retired_.load(std::memory_order_relaxed); }
    bool all_done() const { return retired() == produced_; }
    void reset() {
        produced_ = 0;
        retired_.store(0, std::memory_order_release);
    }

  private:
    uint32_t capacity_ = 0;
    uint32_t produced_ = 0;
    std::atomic<uint32_t> retired_{0};
};

}  // namespace vrnic
