// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/mr.h"

namespace vrnic {
namespace {

constexpr std::uint32_t kIndexShift = 8;  // key: index << 8 | key byte

const PagedMemory kNoBytes;

std::uint32_t index_of(const MemoryKey& entry) {
    return entry.key >> kIndexShift;
}

// IBTA 11.2.8.2: who lets others write must let itself write.
bool access_fits(std::uint32_t access) {
    constexpr std::uint32_t kRemoteChange = VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_ATOMIC;
    return (access & ~VRNIC_ACCESS_ALL) == 0 &&
           ((access & kRemoteChange) == 0 || (access & VRNIC_ACCESS_LOCAL_WRITE) != 0);
}

// Offsets of the fields that REG_MR and REREG_MR share.
struct RangeFields {
    std::uint32_t iova, length;
};

AdminResult<void> check_range(std::uint64_t iova, std::uint64_t length, std::uint32_t access,
                              RangeFields fields) {
    if (length == 0 || length > MrTable::kMaxRegionBytes)
        return admin_error(VRNIC_STATUS_INVALID, fields.length);
    if (iova + (length - 1) < iova || ((access & VRNIC_ACCESS_ZERO_BASED) != 0 && iova != 0))
        return admin_error(VRNIC_STATUS_INVALID, fields.iova);
    return {};
}

// Of what is the kernel's: addresses are its own, and windows are for processes.
bool kernel_access_fits(std::uint32_t access) {
    return access_fits(access) && (access & (VRNIC_ACCESS_MW_BIND | VRNIC_ACCESS_ZERO_BASED)) == 0;
}

bool holds(const MemoryKey& entry, std::uint64_t address, std::uint64_t length) {
    return address >= entry.iova && length <= entry.length &&
           address - entry.iova <= entry.length - length;
}

}  // namespace

// Index 0 is never given out: no object has the key 0.
MrTable::MrTable(Host& host, const Limits& limits)
    : host_(host),
      limits_(limits),
      keys_(limits.max_regions + 1),
      indices_(1, limits.max_regions) {}

MemoryKey* MrTable::find(std::uint32_t key) {
    MemoryKey* entry = keys_.find(key >> kIndexShift);
    return entry && key != 0 && entry->key == key ? entry : nullptr;
}

std::optional<vrnic_key_context> MrTable::describe(std::uint32_t key) const {
    const MemoryKey* entry = keys_.find(key >> kIndexShift);
    if (!entry || entry->key == 0) return std::nullopt;
    vrnic_key_context out{};
    out.key = entry->key;
    out.pdn = entry->pdn;
    out.access = entry->access;
    out.kind = static_cast<std::uint8_t>(entry->kind);
    out.granting = entry->granting;
    out.iova = entry->iova;
    out.length = entry->length;
    out.windows = entry->windows;
    if (is_window(*entry) && entry->granting) {
        out.region = keys_.find(entry->region)->key;
        out.qpn = entry->qpn;
    }
    return out;
}

void MrTable::count(std::uint32_t pdn, int change) {
    if (pdn >= users_of_pd_.size()) users_of_pd_.resize(pdn + 1);
    users_of_pd_[pdn] += static_cast<std::uint32_t>(change);
}

AdminResult<MemoryKey*> MrTable::take(std::uint32_t pdn, KeyKind kind) {
    count(pdn, 0);  // the only memory it needs
    const auto index = indices_.take();
    if (!index) return admin_error(VRNIC_STATUS_LIMIT);
    MemoryKey& entry = keys_.make(*index);
    entry.key = *index << kIndexShift | ++entry.key_byte;
    entry.pdn = pdn;
    entry.kind = kind;
    count(pdn, 1);
    return &entry;
}

void MrTable::give_back(MemoryKey& entry) {
    total_pages_ -= entry.memory.pages();
    count(entry.pdn, -1);
    indices_.give_back(index_of(entry));
    entry = MemoryKey{.key_byte = static_cast<std::uint8_t>(entry.key)};
}

// freed: pages of the region that the new ones take the place of.
AdminResult<PagedMemory> MrTable::read_pages(const vrnic_page_list& pages, std::uint64_t length,
                                             std::uint64_t freed, std::uint32_t detail) {
    const std::uint64_t entries = pages.levels == 0 ? 1 : std::uint32_t{pages.num_pages};
    if (entries > limits_.max_total_pages - (total_pages_ - freed))
        return admin_error(VRNIC_STATUS_LIMIT, detail + offsetof(vrnic_page_list, num_pages));
    return PagedMemory::create(host_, pages, length, limits_.max_pages, detail);
}

AdminResult<std::uint32_t> MrTable::register_region(const vrnic_cmd_reg_mr& cmd) {
    if (!access_fits(cmd.access))
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_reg_mr, access));
    if (auto range = check_range(
            cmd.iova, cmd.length, cmd.access,
            {VRNIC_FIELD(vrnic_cmd_reg_mr, iova), VRNIC_FIELD(vrnic_cmd_reg_mr, length)});
        !range)
        return std::unexpected(range.error());
    auto memory = read_pages(cmd.pages, cmd.length, 0, VRNIC_FIELD(vrnic_cmd_reg_mr, pages));
    if (!memory) return std::unexpected(memory.error());
    const auto region = take(cmd.pdn, KeyKind::region);
    if (!region) return std::unexpected(region.error());
    (*region)->access = cmd.access;
    (*region)->iova = cmd.iova;
    (*region)->length = cmd.length;
    (*region)->memory = std::move(*memory);
    (*region)->granting = true;
    total_pages_ += (*region)->memory.pages();
    return (*region)->key;
}

// IBTA 11.2.8.5. Whatever is wrong, the region stays as it was.
AdminResult<void> MrTable::reregister(const vrnic_cmd_rereg_mr& cmd) {
    constexpr std::uint32_t kAll = VRNIC_REREG_TRANSLATION | VRNIC_REREG_PD | VRNIC_REREG_ACCESS;
    const std::uint32_t mask = cmd.mask;
    MemoryKey* region = find(cmd.key);
    if (!region || region->kind != KeyKind::region)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_rereg_mr, key));
    if (region->windows != 0) return admin_error(VRNIC_STATUS_BUSY);
    if (mask == 0 || (mask & ~kAll) != 0)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_rereg_mr, mask));

    const std::uint32_t access = (mask & VRNIC_REREG_ACCESS) != 0 ? cmd.access : region->access;
    if (!access_fits(access))
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_rereg_mr, access));
    const bool moves = (mask & VRNIC_REREG_TRANSLATION) != 0;
    const std::uint64_t iova = moves ? std::uint64_t{cmd.iova} : region->iova;
    const std::uint64_t length = moves ? std::uint64_t{cmd.length} : region->length;
    if (auto range = check_range(
            iova, length, access,
            {VRNIC_FIELD(vrnic_cmd_rereg_mr, iova), VRNIC_FIELD(vrnic_cmd_rereg_mr, length)});
        !range)
        return range;
    if (moves) {
        auto memory = read_pages(cmd.pages, length, region->memory.pages(),
                                 VRNIC_FIELD(vrnic_cmd_rereg_mr, pages));
        if (!memory) return std::unexpected(memory.error());
        total_pages_ += memory->pages();
        total_pages_ -= region->memory.pages();
        region->memory = std::move(*memory);
        region->iova = iova;
        region->length = length;
        region->granting = true;
    }
    region->access = access;
    if ((mask & VRNIC_REREG_PD) != 0) {
        count(cmd.pdn, 1);
        count(region->pdn, -1);
        region->pdn = cmd.pdn;
    }
    return {};
}

AdminResult<std::uint32_t> MrTable::alloc_all_memory(const vrnic_cmd_alloc_dma_mr& cmd) {
    if (!kernel_access_fits(cmd.access))
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_alloc_dma_mr, access));
    if (total_pages_ == limits_.max_total_pages) return admin_error(VRNIC_STATUS_LIMIT);
    const auto entry = take(cmd.pdn, KeyKind::all_memory);
    if (!entry) return std::unexpected(entry.error());
    (*entry)->access = cmd.access;
    (*entry)->memory = PagedMemory::whole_bus();
    (*entry)->length = (*entry)->memory.length();
    (*entry)->granting = true;
    total_pages_ += (*entry)->memory.pages();
    return (*entry)->key;
}

AdminResult<std::uint32_t> MrTable::alloc_fast_region(const vrnic_cmd_alloc_fast_mr& cmd) {
    constexpr std::uint32_t kPages = VRNIC_FIELD(vrnic_cmd_alloc_fast_mr, max_pages);
    if (cmd.max_pages == 0) return admin_error(VRNIC_STATUS_INVALID, kPages);
    if (cmd.max_pages > limits_.max_fast_pages ||
        cmd.max_pages > limits_.max_total_pages - total_pages_)
        return admin_error(VRNIC_STATUS_LIMIT, kPages);
    auto memory = PagedMemory::unfilled(cmd.max_pages);
    const auto entry = take(cmd.pdn, KeyKind::fast_region);
    if (!entry) return std::unexpected(entry.error());
    (*entry)->memory = std::move(memory);
    total_pages_ += (*entry)->memory.pages();
    return (*entry)->key;
}

std::expected<void, Syndrome> MrTable::register_fast(KeyUser user, const FastRegistration& what) {
    const auto refuse = [](Syndrome reason) { return std::unexpected(reason); };
    const vrnic_sqe_reg& how = what.how;
    MemoryKey* region = keys_.find(what.key >> kIndexShift);
    if (!region || region->key == 0 || region->kind != KeyKind::fast_region)
        return refuse(VRNIC_SYND_BAD_KEY);
    if (region->pdn != user.pdn) return refuse(VRNIC_SYND_WRONG_PD);
    // IBTA 10.6.5.4: only one that is in the free state.
    if (region->granting) return refuse(VRNIC_SYND_WINDOW_STATE);
    if (!kernel_access_fits(how.access)) return refuse(VRNIC_SYND_NO_PERMISSION);
    if (how.length == 0 || how.length > kMaxRegionBytes || what.iova + (how.length - 1) < what.iova)
        return refuse(VRNIC_SYND_OUT_OF_BOUNDS);
    switch (region->memory.refill(host_, how.pages, how.num_pages, how.page_shift, how.offset,
                                  how.length)) {
        case PagedMemory::Refill::done:
            break;
        case PagedMemory::Refill::invalid:
            return refuse(VRNIC_SYND_OUT_OF_BOUNDS);
        case PagedMemory::Refill::dma_failed:
            return refuse(VRNIC_SYND_DMA_FAILED);
    }
    region->key = what.key;
    region->granting = true;
    region->access = how.access;
    region->iova = what.iova;
    region->length = how.length;
    return {};
}

AdminResult<void> MrTable::deregister(std::uint32_t key) {
    // Requests have changed the key of a fast region since, but not its index.
    MemoryKey* region = find(key);
    if (MemoryKey* named = keys_.find(key >> kIndexShift);
        named && named->key != 0 && named->kind == KeyKind::fast_region)
        region = named;
    if (!region || is_window(*region))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    // IBTA 10.6.7.2.5: not while windows are bound to it.
    if (region->windows != 0) return admin_error(VRNIC_STATUS_BUSY);
    give_back(*region);
    return {};
}

AdminResult<void> MrTable::revoke(std::uint32_t key) {
    MemoryKey* region = find(key);
    if (!region || region->kind != KeyKind::region)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    total_pages_ -= region->memory.pages();
    region->memory = PagedMemory();
    region->length = 0;
    region->granting = false;
    return {};
}

void MrTable::reset() {
    keys_.for_each([](MemoryKey& entry) {
        const std::uint8_t last =
            entry.key != 0 ? static_cast<std::uint8_t>(entry.key) : entry.key_byte;
        entry = MemoryKey{.key_byte = last};
    });
    indices_.reset();
    users_of_pd_.clear();
    total_pages_ = 0;
}

CheckResult MrTable::check(std::uint32_t key, std::uint32_t pdn, std::uint64_t address,
                           std::uint64_t length, std::uint32_t access) const {
    if (length == 0) return MemoryView{&kNoBytes, 0};

    const MemoryKey* region = find(key);
    if (!region || !region->granting || is_window(*region))
        return std::unexpected<Syndrome>(VRNIC_SYND_BAD_KEY);
    if (region->pdn != pdn) return std::unexpected<Syndrome>(VRNIC_SYND_WRONG_PD);
    if (!holds(*region, address, length))
        return std::unexpected<Syndrome>(VRNIC_SYND_OUT_OF_BOUNDS);
    if ((access & ~region->access) != 0) return std::unexpected<Syndrome>(VRNIC_SYND_NO_PERMISSION);
    return MemoryView{&region->memory, address - region->iova};
}

std::expected<const MemoryKey*, Syndrome> MrTable::find_remote(std::uint32_t key,
                                                               KeyUser user) const {
    const MemoryKey* entry = find(key);
    if (!entry || !entry->granting) return std::unexpected<Syndrome>(VRNIC_SYND_BAD_KEY);
    if (entry->pdn != user.pdn) return std::unexpected<Syndrome>(VRNIC_SYND_WRONG_PD);
    if (entry->kind == KeyKind::window_type_2 && entry->qpn != user.qpn)
        return std::unexpected<Syndrome>(VRNIC_SYND_WRONG_QP);
    return entry;
}

CheckResult MrTable::check_remote(std::uint32_t key, KeyUser user, std::uint64_t address,
                                  std::uint64_t length, std::uint32_t access) const {
    if (length == 0) return MemoryView{&kNoBytes, 0};

    const auto found = find_remote(key, user);
    if (!found) return std::unexpected(found.error());
    const MemoryKey& entry = **found;
    if (!holds(entry, address, length)) return std::unexpected<Syndrome>(VRNIC_SYND_OUT_OF_BOUNDS);
    if ((access & ~entry.access) != 0) return std::unexpected<Syndrome>(VRNIC_SYND_NO_PERMISSION);
    const std::uint64_t offset = address - entry.iova;
    if (!is_window(entry)) return MemoryView{&entry.memory, offset};
    const MemoryKey& region = *keys_.find(entry.region);
    if (!region.granting) return std::unexpected<Syndrome>(VRNIC_SYND_BAD_KEY);
    return MemoryView{&region.memory, entry.region_offset + offset};
}

CheckResult MrTable::check_remote_whole(std::uint32_t key, KeyUser user,
                                        std::uint32_t access) const {
    const auto found = find_remote(key, user);
    if (!found) return std::unexpected(found.error());
    return check_remote(key, user, (*found)->iova, (*found)->length, access);
}

}  // namespace vrnic
