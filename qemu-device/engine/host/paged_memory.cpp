// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/paged_memory.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace vrnic {
namespace {

constexpr std::uint64_t kTableBytes = VRNIC_PAGE_TABLE_ENTRIES * sizeof(vrnic_le64);

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
    return (value + by - 1) / by;
}

bool wraps(BusAddress address, std::uint64_t bytes) {
    return address + (bytes - 1) < address;
}

// Reads one table of addresses in guest memory.
bool read_table(Host& host, BusAddress table, std::span<BusAddress> out) {
    if (wraps(table, out.size_bytes())) return false;
    if (!host.dma_read(table, std::as_writable_bytes(out))) return false;
    for (BusAddress& entry : out) entry = vrnic_le64::swap(entry);
    return true;
}

// The entries of the lowest tables. num_pages has been bounded.
AdminResult<std::vector<BusAddress>> read_tables(Host& host, BusAddress top, unsigned levels,
                                                 std::uint32_t num_pages,
                                                 std::uint32_t addr_detail) {
    // How many entries all tables of one level hold together, lowest level first.
    std::array<std::uint64_t, VRNIC_PAGE_LEVELS_MAX> entries{};
    entries[0] = num_pages;
    for (unsigned level = 1; level < levels; ++level)
        entries[level] = divide_up(entries[level - 1], VRNIC_PAGE_TABLE_ENTRIES);

    std::vector<BusAddress> addresses(entries[levels - 1]);
    if (!read_table(host, top, addresses)) return admin_error(VRNIC_STATUS_DMA, addr_detail);

    for (unsigned level = levels - 1; level-- > 0;) {
        std::vector<BusAddress> below(entries[level]);
        std::span<BusAddress> rest(below);
        for (BusAddress table : addresses) {
            if (table % kTableBytes != 0) return admin_error(VRNIC_STATUS_INVALID, addr_detail);
            auto part = rest.first(std::min<std::size_t>(rest.size(), VRNIC_PAGE_TABLE_ENTRIES));
            if (!read_table(host, table, part)) return admin_error(VRNIC_STATUS_DMA, addr_detail);
            rest = rest.subspan(part.size());
        }
        addresses = std::move(below);
    }
    return addresses;
}

}  // namespace

AdminResult<PagedMemory> PagedMemory::create(Host& host, const vrnic_page_list& list,
                                             std::uint64_t length, std::uint32_t max_pages,
                                             std::uint32_t field_offset) {
    const auto invalid = [&](std::size_t offset) {
        return admin_error(VRNIC_STATUS_INVALID, field_offset + static_cast<std::uint32_t>(offset));
    };
    const std::uint32_t addr_detail = field_offset + offsetof(vrnic_page_list, addr);

    for (std::uint8_t octet : list.reserved)
        if (octet != 0)
            return admin_error(VRNIC_STATUS_RESERVED,
                               field_offset + offsetof(vrnic_page_list, reserved));
    if (list.page_shift < VRNIC_PAGE_SHIFT_MIN || list.page_shift > VRNIC_PAGE_SHIFT_MAX)
        return invalid(offsetof(vrnic_page_list, page_shift));
    if (list.levels > VRNIC_PAGE_LEVELS_MAX) return invalid(offsetof(vrnic_page_list, levels));
    if (list.num_pages == 0) return invalid(offsetof(vrnic_page_list, num_pages));
    if (list.num_pages > max_pages)
        return admin_error(VRNIC_STATUS_LIMIT, field_offset + offsetof(vrnic_page_list, num_pages));

    const std::uint64_t page_size = std::uint64_t{1} << list.page_shift;
    const std::uint64_t all_pages = std::uint64_t{list.num_pages} << list.page_shift;
    if (list.offset >= page_size) return invalid(offsetof(vrnic_page_list, offset));
    if (length == 0 || length > all_pages - list.offset)
        return invalid(offsetof(vrnic_page_list, num_pages));

    PagedMemory memory;
    memory.length_ = length;
    memory.first_offset_ = list.offset;

    if (list.levels == 0) {
        if (list.addr % page_size != 0 || wraps(list.addr, all_pages))
            return invalid(offsetof(vrnic_page_list, addr));
        memory.page_shift_ = kContiguous;
        memory.base_ = list.addr;
        return memory;
    }

    if (list.addr % sizeof(vrnic_le64) != 0) return invalid(offsetof(vrnic_page_list, addr));
    auto pages = read_tables(host, list.addr, list.levels, list.num_pages, addr_detail);
    if (!pages) return std::unexpected(pages.error());
    for (BusAddress page : *pages)  // aligned, so that it cannot wrap
        if (page % page_size != 0) return invalid(offsetof(vrnic_page_list, addr));
    memory.take_pages(*pages, list.page_shift);
    if (memory.page_shift_ != kContiguous) memory.pages_ = std::move(*pages);
    return memory;
}

PagedMemory PagedMemory::whole_bus() {
    PagedMemory memory;
    memory.length_ = ~std::uint64_t{0};
    memory.page_shift_ = kContiguous;
    return memory;
}

PagedMemory PagedMemory::unfilled(std::uint32_t max_pages) {
    PagedMemory memory;
    memory.pages_.resize(max_pages);
    return memory;
}

PagedMemory::Refill PagedMemory::refill(Host& host, BusAddress list, std::uint32_t num_pages,
                                        std::uint8_t page_shift, std::uint32_t offset,
                                        std::uint64_t length) {
    length_ = 0;
    if (page_shift < VRNIC_PAGE_SHIFT_MIN || page_shift > VRNIC_PAGE_SHIFT_MAX || num_pages == 0 ||
        num_pages > pages_.size() || list % sizeof(vrnic_le64) != 0)
        return Refill::invalid;
    const std::uint64_t page_size = std::uint64_t{1} << page_shift;
    if (offset >= page_size || length == 0 ||
        length > (std::uint64_t{num_pages} << page_shift) - offset)
        return Refill::invalid;
    const auto into = std::span(pages_).first(num_pages);
    if (!read_table(host, list, into)) return Refill::dma_failed;
    for (const BusAddress page : into)  // aligned, so that it cannot wrap
        if (page % page_size != 0) return Refill::invalid;
    take_pages(into, page_shift);
    first_offset_ = offset;
    length_ = length;
    return Refill::done;
}

// Most rings, and many regions, are in one piece: then there is no list to be looked into.
void PagedMemory::take_pages(std::span<const BusAddress> pages, std::uint8_t page_shift) {
    const std::uint64_t page_size = std::uint64_t{1} << page_shift;
    const auto apart = [&](BusAddress page, BusAddress next) {
        return next != page + page_size || next == 0;  // nor around the end of the address space
    };
    base_ = pages.front();
    page_shift_ =
        std::ranges::adjacent_find(pages, apart) == pages.end() ? kContiguous : page_shift;
}

PagedMemory::Piece PagedMemory::piece_of_many(std::size_t page, std::uint64_t in_page,
                                              std::uint64_t size) const {
    const std::uint64_t page_size = std::uint64_t{1} << page_shift_;
    const BusAddress address = pages_[page] + in_page;
    std::uint64_t available = page_size - in_page;
    // Neighbours on the bus make one piece, but not around the end of the address space.
    while (available < size && pages_[page + 1] == pages_[page] + page_size &&
           pages_[page + 1] != 0) {
        available += page_size;
        ++page;
    }
    return {address, std::min(available, size)};
}

bool PagedMemory::read(Host& host, std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const Piece at = piece(offset, out.size());
        if (!host.dma_read(at.address, out.first(at.size))) return false;
        out = out.subspan(at.size);
        offset += at.size;
    }
    return true;
}

bool PagedMemory::write(Host& host, std::uint64_t offset, std::span<const std::byte> data) const {
    while (!data.empty()) {
        const Piece at = piece(offset, data.size());
        if (!host.dma_write(at.address, data.first(at.size))) return false;
        data = data.subspan(at.size);
        offset += at.size;
    }
    return true;
}

bool PagedMemory::store64(Host& host, std::uint64_t offset, std::uint64_t value) const {
    return host.dma_store64(piece(offset, sizeof(value)).address, value);
}

}  // namespace vrnic
