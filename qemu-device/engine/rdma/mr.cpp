// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/mr.h"

#include "vrnic_ring.h"

namespace vrnic {
namespace {

constexpr std::uint32_t kIndexShift = 8;  // key: index << 8 | key byte

}  // namespace

// Index 0 is never given out: no region has the key 0, and regions_[0] stands for "no bytes".
MrTable::MrTable(Host& host, const Limits& limits)
    : host_(host),
      limits_(limits),
      regions_(limits.max_regions + 1),
      key_bytes_(limits.max_regions + 1),
      indices_(1, limits.max_regions) {}

AdminResult<std::uint32_t> MrTable::register_region(const vrnic_cmd_reg_mr& cmd) {
    const std::uint32_t access = cmd.access;
    constexpr std::uint32_t kRemoteChange = VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_ATOMIC;
    // IBTA 11.2.8.2: who lets others write must let itself write.
    if ((access & ~VRNIC_ACCESS_ALL) != 0 ||
        ((access & kRemoteChange) != 0 && (access & VRNIC_ACCESS_LOCAL_WRITE) == 0))
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_reg_mr, access));
    if (cmd.length == 0 || cmd.length > kMaxRegionBytes)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_reg_mr, length));
    if (cmd.iova + (cmd.length - 1) < cmd.iova)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_reg_mr, iova));

    const std::uint32_t pages_detail = VRNIC_FIELD(vrnic_cmd_reg_mr, pages);
    const std::uint64_t table_pages =
        cmd.pages.levels == 0 ? 1 : std::uint32_t{cmd.pages.num_pages};
    if (table_pages > limits_.max_total_pages - total_pages_)
        return admin_error(VRNIC_STATUS_LIMIT, pages_detail + offsetof(vrnic_page_list, num_pages));
    auto memory =
        PagedMemory::create(host_, cmd.pages, cmd.length, limits_.max_pages, pages_detail);
    if (!memory) return std::unexpected(memory.error());

    const auto index = indices_.take();
    if (!index) return admin_error(VRNIC_STATUS_LIMIT);
    MemoryRegion& region = regions_[*index];
    region.key = *index << kIndexShift | ++key_bytes_[*index];
    region.pdn = cmd.pdn;
    region.access = access;
    region.iova = cmd.iova;
    region.length = cmd.length;
    region.memory = std::move(*memory);
    total_pages_ += region.memory.pages();
    return region.key;
}

AdminResult<void> MrTable::deregister(std::uint32_t key) {
    const std::uint32_t index = key >> kIndexShift;
    if (index >= regions_.size() || key == 0 || regions_[index].key != key)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    total_pages_ -= regions_[index].memory.pages();
    regions_[index] = MemoryRegion{};
    indices_.give_back(index);
    return {};
}

void MrTable::reset() {
    for (MemoryRegion& region : regions_)
        if (region.key != 0) region = MemoryRegion{};
    indices_.reset();
    total_pages_ = 0;
}

std::expected<const MemoryRegion*, Syndrome> MrTable::check(std::uint32_t key, std::uint32_t pdn,
                                                            std::uint64_t address,
                                                            std::uint64_t length,
                                                            std::uint32_t access) const {
    if (length == 0) return &regions_[0];

    const std::uint32_t index = key >> kIndexShift;
    if (index >= regions_.size() || key == 0 || regions_[index].key != key)
        return std::unexpected<Syndrome>(VRNIC_SYND_BAD_KEY);
    const MemoryRegion& region = regions_[index];
    if (region.pdn != pdn) return std::unexpected<Syndrome>(VRNIC_SYND_WRONG_PD);
    if (address < region.iova || length > region.length ||
        address - region.iova > region.length - length)
        return std::unexpected<Syndrome>(VRNIC_SYND_OUT_OF_BOUNDS);
    if ((access & ~region.access) != 0) return std::unexpected<Syndrome>(VRNIC_SYND_NO_PERMISSION);
    return &region;
}

std::uint32_t MrTable::regions_of(std::uint32_t pdn) const {
    std::uint32_t count = 0;
    for (const MemoryRegion& region : regions_)
        if (region.key != 0 && region.pdn == pdn) ++count;
    return count;
}

}  // namespace vrnic
