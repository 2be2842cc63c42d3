// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/ring_copy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace vrnic {

bool copy_ring(Host& host, const RingPlace& from, const RingPlace& to, std::uint32_t stride,
               std::uint64_t first, std::uint64_t end) {
    std::array<std::byte, 4096> piece;
    for (std::uint64_t index = first; index != end;) {
        const std::uint64_t source = index & (from.size - 1), target = index & (to.size - 1);
        const std::uint64_t count = std::min<std::uint64_t>(
            {end - index, from.size - source, to.size - target, piece.size() / stride});
        const auto bytes = std::span(piece).first(count * stride);
        if (!from.memory.read(host, from.offset + source * stride, bytes) ||
            !to.memory.write(host, to.offset + target * stride, bytes))
            return false;
        index += count;
    }
    return true;
}

}  // namespace vrnic
