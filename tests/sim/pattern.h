// SPDX-License-Identifier: GPL-2.0-or-later
// Seeded content, and buffers between guard bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "driver.h"

namespace vrnic::sim {

inline std::vector<std::byte> pattern(std::uint64_t seed, std::uint64_t size) {
    std::vector<std::byte> bytes(size);
    Random random(seed * 0x10001 + 7);
    std::uint64_t word = 0;
    for (std::uint64_t i = 0; i < size; ++i, word >>= 8) {
        if (i % 8 == 0) word = random.next();
        bytes[i] = static_cast<std::byte>(word);
    }
    return bytes;
}

inline constexpr std::uint64_t kGuard = 64;  // bytes on each side
inline constexpr std::byte kGuardByte{0xee};
inline constexpr std::byte kEmptyByte{0xd1};

// A part of a region that one operation uses: guards, then `size` bytes at `offset`, then guards.
class GuardedSlot {
  public:
    // The slot takes room(size) bytes of the region from start on.
    static std::uint64_t room(std::uint64_t size) { return size + 2 * kGuard; }
    GuardedSlot(Region& region, std::uint64_t start, std::uint64_t size)
        : region_(&region), offset_(start + kGuard), size_(size) {
        region.buffer.fill(start, room(size), kGuardByte);
        region.buffer.fill(offset_, size, kEmptyByte);
    }

    std::uint64_t address() const { return region_->iova + offset_; }
    std::uint64_t size() const { return size_; }
    std::uint32_t key() const { return region_->key; }
    vrnic_sge sge() const { return region_->sge(offset_, static_cast<std::uint32_t>(size_)); }
    vrnic_sge sge(std::uint64_t from, std::uint64_t length) const {
        return region_->sge(offset_ + from, static_cast<std::uint32_t>(length));
    }

    void write(const std::vector<std::byte>& bytes) { region_->buffer.write(offset_, bytes); }
    void clear() { region_->buffer.fill(offset_, size_, kEmptyByte); }
    std::vector<std::byte> content() const { return region_->buffer.read(offset_, size_); }
    // Begins with these bytes; all behind them is still empty.
    bool holds(const std::vector<std::byte>& bytes) const {
        const auto now = content();
        const auto rest = now.begin() + static_cast<std::ptrdiff_t>(bytes.size());
        return std::equal(bytes.begin(), bytes.end(), now.begin()) &&
               std::all_of(rest, now.end(), [](std::byte b) { return b == kEmptyByte; });
    }
    bool is_empty() const { return holds({}); }
    bool guards_intact() const {
        const auto intact = [](const std::vector<std::byte>& bytes) {
            return std::ranges::all_of(bytes, [](std::byte b) { return b == kGuardByte; });
        };
        return intact(region_->buffer.read(offset_ - kGuard, kGuard)) &&
               intact(region_->buffer.read(offset_ + size_, kGuard));
    }

  private:
    Region* region_;
    std::uint64_t offset_;
    std::uint64_t size_;
};

}  // namespace vrnic::sim
