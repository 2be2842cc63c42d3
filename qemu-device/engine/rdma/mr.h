// SPDX-License-Identifier: GPL-2.0-or-later
// Memory regions: registration, keys, and the check that every access passes (IBTA 10.6.3).
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "base/id_pool.h"
#include "base/result.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "vrnic_admin.h"

namespace vrnic {

// Why an access was refused: VRNIC_SYND_*.
using Syndrome = std::uint32_t;

struct MemoryRegion {
    std::uint32_t key = 0;  // index << 8 | key byte; 0: the slot is free
    std::uint32_t pdn = 0;
    std::uint32_t access = 0;  // VRNIC_ACCESS_*
    std::uint64_t iova = 0;
    std::uint64_t length = 0;  // bytes
    PagedMemory memory;
};

class MrTable {
  public:
    static constexpr std::uint64_t kMaxRegionBytes = std::uint64_t{1} << 40;

    struct Limits {
        std::uint32_t max_regions;
        std::uint32_t max_pages;        // of one region
        std::uint64_t max_total_pages;  // of all
    };
    MrTable(Host& host, const Limits& limits);

    AdminResult<std::uint32_t> register_region(
        const vrnic_cmd_reg_mr& cmd);  // pdn was checked; the key
    AdminResult<void> deregister(std::uint32_t key);
    void reset();

    // The region that key names, when address..address+length lies in it, it belongs to pdn and
    // grants all of access (VRNIC_ACCESS_*; 0 for local reads). length 0 is granted with any key
    // (IBTA 9.4.3): the answer is then a region of no bytes. The pointer holds until the next
    // deregister: do not keep it beyond one event.
    std::expected<const MemoryRegion*, Syndrome> check(std::uint32_t key, std::uint32_t pdn,
                                                       std::uint64_t address, std::uint64_t length,
                                                       std::uint32_t access) const;

    std::uint32_t regions_of(std::uint32_t pdn) const;  // O(n): for dealloc_pd only

  private:
    Host& host_;
    Limits limits_;
    std::vector<MemoryRegion> regions_;
    std::vector<std::uint8_t> key_bytes_;  // last used at each index; outlive a reset
    IdPool indices_;
    std::uint64_t total_pages_ = 0;
};

}  // namespace vrnic
