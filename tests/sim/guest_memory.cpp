// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_memory.h"

#include <algorithm>
#include <stdexcept>

namespace vrnic::sim {
namespace {

constexpr std::uint64_t kPage = 4096;

// Writes one level of tables; the addresses of the tables, which the next level holds.
std::vector<BusAddress> write_tables(GuestAllocator& memory, std::span<const BusAddress> entries) {
    std::vector<BusAddress> tables;
    for (std::size_t at = 0; at < entries.size(); ++at) {
        if (at % VRNIC_PAGE_TABLE_ENTRIES == 0) tables.push_back(memory.page());
        vrnic_le64 entry;
        entry = entries[at];
        memory.host().store(tables.back() + 8 * (at % VRNIC_PAGE_TABLE_ENTRIES), entry);
    }
    return tables;
}

}  // namespace

GuestAllocator::GuestAllocator(SimHost& host, std::uint64_t seed) : host_(host) {
    const std::size_t scattered = host.memory_bytes() / 4 * 3 / kPage;
    for (std::size_t i = 0; i < scattered; ++i) pages_.push_back(host.base() + i * kPage);
    Random random(seed);
    for (std::size_t i = pages_.size(); i > 1; --i)
        std::swap(pages_[i - 1], pages_[random.next() % i]);
    next_ = host.base() + scattered * kPage;
    end_ = host.base() + host.memory_bytes();
}

BusAddress GuestAllocator::page() {
    if (pages_.empty()) throw std::runtime_error("the simulated guest has no page left");
    const BusAddress page = pages_.back();
    pages_.pop_back();
    return page;
}

BusAddress GuestAllocator::contiguous(std::size_t bytes, std::uint64_t alignment) {
    const BusAddress address = (next_ + alignment - 1) / alignment * alignment;
    if (address + bytes > end_) throw std::runtime_error("the simulated guest has no memory left");
    next_ = address + bytes;
    return address;
}

GuestBuffer::GuestBuffer(GuestAllocator& memory, std::uint64_t length, BufferLayout layout)
    : memory_(&memory), length_(length), layout_(layout) {
    const std::uint64_t page_size = std::uint64_t{1} << layout.page_shift;
    const std::uint64_t count = (layout.offset + length + page_size - 1) / page_size;
    if (layout.levels == 0) {
        const BusAddress first = memory.contiguous(count * page_size, page_size);
        for (std::uint64_t i = 0; i < count; ++i) pages_.push_back(first + i * page_size);
        return;
    }
    for (std::uint64_t i = 0; i < count; ++i)
        pages_.push_back(page_size == kPage ? memory.page()
                                            : memory.contiguous(page_size, page_size));
}

BusAddress GuestBuffer::bus(std::uint64_t offset) const {
    offset += layout_.offset;
    return pages_.at(offset >> layout_.page_shift) +
           (offset & ((std::uint64_t{1} << layout_.page_shift) - 1));
}

vrnic_page_list GuestBuffer::page_list() const {
    vrnic_page_list list{};
    list.num_pages = static_cast<std::uint32_t>(pages_.size());
    list.offset = layout_.offset;
    list.page_shift = layout_.page_shift;
    list.levels = layout_.levels;
    if (layout_.levels == 0) {
        list.addr = pages_[0];
        return list;
    }
    std::vector<BusAddress> entries = pages_;
    for (unsigned level = 1; level < layout_.levels; ++level)
        entries = write_tables(*memory_, entries);
    const BusAddress top = memory_->contiguous(entries.size() * 8, 8);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        vrnic_le64 entry;
        entry = entries[i];
        memory_->host().store(top + 8 * i, entry);
    }
    list.addr = top;
    return list;
}

template <typename Visit>
void GuestBuffer::pieces(std::uint64_t offset, std::uint64_t size, Visit&& visit) const {
    if (offset > length_ || size > length_ - offset)
        throw std::out_of_range("the test left its guest buffer");
    const std::uint64_t page_size = std::uint64_t{1} << layout_.page_shift;
    for (std::uint64_t done = 0; done < size;) {
        const BusAddress address = bus(offset + done);
        const std::uint64_t part = std::min(size - done, page_size - (address & (page_size - 1)));
        visit(memory_->host().memory(address, part), done);
        done += part;
    }
}

void GuestBuffer::write(std::uint64_t offset, std::span<const std::byte> data) {
    pieces(offset, data.size(), [&](std::span<std::byte> piece, std::uint64_t done) {
        std::ranges::copy(data.subspan(done, piece.size()), piece.begin());
    });
}

void GuestBuffer::read(std::uint64_t offset, std::span<std::byte> out) const {
    pieces(offset, out.size(), [&](std::span<std::byte> piece, std::uint64_t done) {
        std::ranges::copy(piece, out.begin() + static_cast<std::ptrdiff_t>(done));
    });
}

std::vector<std::byte> GuestBuffer::read(std::uint64_t offset, std::uint64_t size) const {
    std::vector<std::byte> out(size);
    read(offset, out);
    return out;
}

void GuestBuffer::fill(std::uint64_t offset, std::uint64_t size, std::byte value) {
    pieces(offset, size,
           [&](std::span<std::byte> piece, std::uint64_t) { std::ranges::fill(piece, value); });
}

}  // namespace vrnic::sim
