// SPDX-License-Identifier: GPL-2.0-or-later
// A range of guest memory made of pages, as struct vrnic_page_list describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "host/host.h"
#include "vrnic_admin.h"

namespace vrnic {

class PagedMemory {
  public:
    PagedMemory() = default;  // no bytes

    // Reads the tables of a page list, once. field_offset is the list's place in its command, for
    // the error's detail. At most max_pages pages. Checks: shifts, levels, alignment, offset,
    // reserved bytes, length (bytes) within the pages, addresses that wrap.
    static AdminResult<PagedMemory> create(Host& host, const vrnic_page_list& list,
                                           std::uint64_t length, std::uint32_t max_pages,
                                           std::uint32_t field_offset);

    // All that the bus reaches: offset 0 is address 0.
    static PagedMemory whole_bus();
    // Of max_pages pages, none of which is known yet: no bytes.
    static PagedMemory unfilled(std::uint32_t max_pages);
    // Reads new pages into one that was made so, once, from a list of num_pages addresses at `list`
    // on the bus. Asks for no memory. Checks as create().
    enum class Refill : std::uint8_t { done, invalid, dma_failed };
    [[nodiscard]] Refill refill(Host& host, BusAddress list, std::uint32_t num_pages,
                                std::uint8_t page_shift, std::uint32_t offset,
                                std::uint64_t length);

    std::uint64_t length() const { return length_; }  // bytes
    // Addresses that are kept: none of a range in one piece.
    std::uint32_t pages() const { return static_cast<std::uint32_t>(pages_.size()); }

    // offset and size must be within length(): the caller checked. False: the bus refused.
    [[nodiscard]] bool read(Host& host, std::uint64_t offset, std::span<std::byte> out) const;
    [[nodiscard]] bool write(Host& host, std::uint64_t offset,
                             std::span<const std::byte> data) const;
    // Aligned eight-byte store that does not cross a page (Host::dma_store64).
    bool is_aligned(std::uint64_t offset) const { return (first_offset_ + offset) % 8 == 0; }
    [[nodiscard]] bool store64(Host& host, std::uint64_t offset, std::uint64_t value) const;

  private:
    static constexpr std::uint8_t kContiguous = 63;  // page_shift_ of a range in one piece

    struct Piece {
        BusAddress address;
        std::uint64_t size;  // bytes in one piece on the bus, at most what was asked for
    };
    Piece piece(std::uint64_t offset, std::uint64_t size) const {
        offset += first_offset_;
        if (page_shift_ == kContiguous) return {base_ + offset, size};
        const std::uint64_t page_size = std::uint64_t{1} << page_shift_;
        const std::uint64_t in_page = offset & (page_size - 1);
        const std::size_t page = offset >> page_shift_;
        if (page_size - in_page >= size) return {pages_[page] + in_page, size};
        return piece_of_many(page, in_page, size);
    }
    // They are known now: where they are, in one piece or as they come.
    void take_pages(std::span<const BusAddress> pages, std::uint8_t page_shift);
    // One that begins in a page and goes on behind it.
    Piece piece_of_many(std::size_t page, std::uint64_t in_page, std::uint64_t size) const;

    BusAddress base_ = 0;            // of a range in one piece
    std::vector<BusAddress> pages_;  // of others
    std::uint64_t length_ = 0;
    std::uint32_t first_offset_ = 0;
    std::uint8_t page_shift_ = 12;
};

}  // namespace vrnic
