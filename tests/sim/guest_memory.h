// SPDX-License-Identifier: GPL-2.0-or-later
// Pages of guest memory, buffers that are scattered over them, and the page lists that tell the
// device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "host.h"
#include "vrnic_admin.h"

namespace vrnic::sim {

// Never takes anything back: a simulation is short.
class GuestAllocator {
  public:
    GuestAllocator(SimHost& host, std::uint64_t seed);

    SimHost& host() { return host_; }
    BusAddress page();  // 4 KiB, zeroed; neighbours are rarely neighbours in memory
    BusAddress contiguous(std::size_t bytes, std::uint64_t alignment = 4096);

  private:
    SimHost& host_;
    std::vector<BusAddress> pages_;  // free ones, shuffled
    BusAddress next_;                // of the contiguous part
    BusAddress end_;
};

struct BufferLayout {
    std::uint8_t levels = 1;
    std::uint8_t page_shift = 12;
    std::uint32_t offset = 0;  // of the first byte in the first page
};

// Bytes in a row for the guest's programs, pages anywhere for the bus.
class GuestBuffer {
  public:
    GuestBuffer(GuestAllocator& memory, std::uint64_t length, BufferLayout layout = {});

    std::uint64_t length() const { return length_; }
    const BufferLayout& layout() const { return layout_; }
    BusAddress bus(std::uint64_t offset) const;  // of one byte
    vrnic_page_list page_list() const;           // writes the tables to new pages of guest memory

    void write(std::uint64_t offset, std::span<const std::byte> data);
    void read(std::uint64_t offset, std::span<std::byte> out) const;
    std::vector<std::byte> read(std::uint64_t offset, std::uint64_t size) const;
    void fill(std::uint64_t offset, std::uint64_t size, std::byte value);

    template <typename T>
    void store(std::uint64_t offset, const T& value) {
        write(offset, std::as_bytes(std::span(&value, 1)));
    }
    template <typename T>
    T load(std::uint64_t offset) const {
        T value;
        read(offset, std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }

  private:
    template <typename Visit>
    void pieces(std::uint64_t offset, std::uint64_t size, Visit&& visit) const;

    GuestAllocator* memory_;
    std::uint64_t length_;
    BufferLayout layout_;
    std::vector<BusAddress> pages_;
};

}  // namespace vrnic::sim
