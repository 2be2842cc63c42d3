// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vrnic::check {

// Bytes that follow from a key and their offset, so that a byte at a wrong place, of another
// message or of another round is seen.
class Pattern {
  public:
    explicit Pattern(uint64_t key) : key_(key) {}

    // Writes the pattern's bytes from `offset` on.
    void fill(std::span<std::byte> out, uint64_t offset) const;

    struct Mismatch {
        size_t position;  // of the first wrong byte in `data`
        std::byte expected;
        std::byte found;
        size_t count;  // wrong bytes in all
    };
    // Compares every byte; nothing: all right.
    [[nodiscard]] std::optional<Mismatch> compare(std::span<const std::byte> data,
                                                  uint64_t offset) const;

  private:
    uint64_t key_;
};

}  // namespace vrnic::check
