// SPDX-License-Identifier: GPL-2.0-or-later
// Moving what is in a ring to a ring of another size in other memory.
#pragma once

#include <cstdint>

#include "host/host.h"
#include "host/paged_memory.h"

namespace vrnic {

struct RingPlace {
    const PagedMemory& memory;
    std::uint32_t offset;  // in the memory
    std::uint32_t size;    // entries, a power of two
};

// Copies the entries from index first up to, not including, end, which both rings have room for, to
// their places there. stride: bytes of an entry, a power of two, at most 4096. False: guest memory
// could not be reached.
[[nodiscard]] bool copy_ring(Host& host, const RingPlace& from, const RingPlace& to,
                             std::uint32_t stride, std::uint64_t first, std::uint64_t end);

}  // namespace vrnic
