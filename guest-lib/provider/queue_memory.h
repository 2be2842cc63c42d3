// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstddef>
#include <expected>
#include <utility>

namespace vrnic {

// Zeroed, page-aligned memory that the device reads and writes: the ring or rings and the doorbell
// record of one queue. Kept out of forked children, whose copy-on-write would otherwise move the
// parent's pages away from the device (ibv_fork_init(3)).
class QueueMemory {
  public:
    // At least `size` bytes, rounded up to whole pages; an errno value on failure.
    static std::expected<QueueMemory, int> create(size_t size);

    QueueMemory() = default;
    QueueMemory(QueueMemory&& other) noexcept
        : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    QueueMemory& operator=(QueueMemory&& other) noexcept {
        std::swap(base_, other.base_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~QueueMemory();

    std::byte* at(size_t offset) const { return base_ + offset; }
    size_t size() const { return size_; }

  private:
    QueueMemory(std::byte* base, size_t size) : base_(base), size_(size) {}

    std::byte* base_ = nullptr;
    size_t size_ = 0;
};

}  // namespace vrnic
