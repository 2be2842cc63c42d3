// SPDX-License-Identifier: GPL-2.0-or-later
// A table of many entries, of which few are used in most devices: memory comes in chunks as they
// are needed. An entry stays where it is.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/huge_pages.h"

namespace vrnic {

template <typename T>
class ChunkedTable {
  public:
    explicit ChunkedTable(std::uint32_t size)
        : size_(size), chunks_((std::size_t{size} + kChunk - 1) / kChunk) {}

    std::uint32_t size() const { return size_; }

    // nullptr: past the end, or nothing was ever there.
    const T* find(std::uint32_t index) const {
        if (index >= size_) return nullptr;
        const T* chunk = chunks_[index / kChunk].get();
        return chunk ? &chunk[index % kChunk] : nullptr;
    }
    T* find(std::uint32_t index) {
        return const_cast<T*>(static_cast<const ChunkedTable*>(this)->find(index));
    }

    // index must be below size(). Throws std::bad_alloc.
    T& make(std::uint32_t index) {
        auto& chunk = chunks_[index / kChunk];
        if (!chunk) chunk = make_array<T>(kChunk);
        return chunk[index % kChunk];
    }

    // Calls visit(entry) for all whose memory is there, in order.
    template <typename Visit>
    void for_each(Visit visit) {
        for (auto& chunk : chunks_)
            for (std::uint32_t i = 0; chunk && i < kChunk; ++i) visit(chunk[i]);
    }
    template <typename Visit>
    void for_each(Visit visit) const {
        for (const auto& chunk : chunks_)
            for (std::uint32_t i = 0; chunk && i < kChunk; ++i)
                visit(static_cast<const T&>(chunk[i]));
    }

    void clear() {
        for (auto& chunk : chunks_) chunk.reset();
    }

  private:
    // Of small entries about 64 KiB, of large ones a huge page.
    static constexpr std::uint32_t kChunk =
        sizeof(T) < 1024 ? 256 : std::bit_floor(std::uint32_t{kHugePage / sizeof(T)});

    std::uint32_t size_;
    std::vector<Array<T>> chunks_;
};

}  // namespace vrnic
