// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstddef>
#include <expected>
#include <utility>

#include "domain.h"

namespace vrnic {

// Zeroed, page-aligned memory that the device reads and writes: the ring or rings and the doorbell
// record of one queue. Kept out of forked children, whose copy-on-write would otherwise move the
// parent's pages away from the device (ibv_fork_init(3)).
class QueueMemory {
  public:
    // At least `size` bytes, rounded up to whole pages; an errno value on failure. `domain`, which
    // stays as long as the memory, may have an allocator of the application's; nullptr: none.
    static std::expected<QueueMemory, int> create(size_t size, QueueKind kind, Pd* domain);

    QueueMemory() = default;
    QueueMemory(QueueMemory&& other) noexcept { swap(other); }
    QueueMemory& operator=(QueueMemory&& other) noexcept {
        swap(other);
        return *this;
    }
    ~QueueMemory();

    std::byte* at(size_t offset) const { return base_ + offset; }
    size_t size() const { return size_; }

  private:
    void swap(QueueMemory& other) {
        std::swap(base_, other.base_);
        std::swap(size_, other.size_);
        std::swap(kind_, other.kind_);
        std::swap(owner_, other.owner_);
    }
    void give_back();

    std::byte* base_ = nullptr;
    size_t size_ = 0;
    QueueKind kind_{};
    Pd* owner_ = nullptr;  // whose allocator gave it
};

}  // namespace vrnic
