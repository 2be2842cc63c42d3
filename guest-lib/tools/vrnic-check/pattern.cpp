// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "pattern.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "random.h"

namespace vrnic::check {

void Pattern::fill(std::span<std::byte> out, uint64_t offset) const {
    while (!out.empty()) {
        const uint64_t word = mix(key_ + offset / sizeof(uint64_t));
        const size_t skip = offset % sizeof(word);
        const size_t length = std::min(sizeof(word) - skip, out.size());
        std::memcpy(out.data(), reinterpret_cast<const std::byte*>(&word) + skip, length);
        out = out.subspan(length);
        offset += length;
    }
}

std::optional<Pattern::Mismatch> Pattern::compare(std::span<const std::byte> data,
                                                  uint64_t offset) const {
    std::array<std::byte, 4096> expected;
    std::optional<Mismatch> found;
    for (size_t done = 0; done < data.size();) {
        const auto piece = data.subspan(done, std::min(expected.size(), data.size() - done));
        fill(std::span(expected).first(piece.size()), offset + done);
        if (std::memcmp(expected.data(), piece.data(), piece.size()) != 0) {
            for (size_t i = 0; i < piece.size(); ++i) {
                if (piece[i] == expected[i]) continue;
                if (!found) found = Mismatch{done + i, expected[i], piece[i], 0};
                ++found->count;
            }
        }
        done += piece.size();
    }
    return found;
}

}  // namespace vrnic::check
