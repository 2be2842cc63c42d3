// SPDX-License-Identifier: GPL-2.0-or-later
// A host for unit tests: guest memory as one flat buffer, recorded interrupts, frames and log lines, a
// clock that stands until it is moved. Each call can be made to fail or to call back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "host/host.h"
#include "vrnic_admin.h"
#include "unit/catch.h"

namespace vrnic::test {

using Frame = std::vector<std::byte>;

class FakeHost final : public Host {
  public:
    static constexpr BusAddress kBase = 0x1000'0000;
    static constexpr std::uint64_t kSize = 4u << 20;

    FakeHost() : memory_(kSize) {}

    // ---- guest memory, from the guest's side ----

    template <typename T>
    T load(BusAddress address) const {
        T value;
        std::memcpy(&value, at(address, sizeof(T)), sizeof(T));
        return value;
    }
    template <typename T>
    void store(BusAddress address, const T& value) {
        std::memcpy(at(address, sizeof(T)), &value, sizeof(T));
    }
    std::span<std::byte> bytes(BusAddress address, std::size_t size) {
        return {at(address, size), size};
    }
    // Fresh zeroed memory, aligned to whole pages.
    BusAddress allocate(std::uint64_t size) {
        const BusAddress address = kBase + allocated_;
        allocated_ += (size + 0xfff) & ~std::uint64_t{0xfff};
        REQUIRE(allocated_ <= kSize);
        return address;
    }

    // All that was allocated from an address on is free again, and zero.
    void release(BusAddress from) {
        allocated_ = from - kBase;
        std::memset(memory_.data() + allocated_, 0, memory_.size() - allocated_);
    }

    // ---- what tests change ----

    std::function<void(BusAddress, std::size_t)> on_dma;  // before each access
    std::function<void()> on_send;
    BusAddress hole = 0;             // accesses that touch this page fail; 0: none
    SendResult send_result = SendResult::sent;
    Nanoseconds time = 1000;

    // ---- what tests look at ----

    std::array<unsigned, 64> interrupts{};
    std::vector<Frame> frames;
    std::vector<std::string> lines;
    unsigned runs_scheduled = 0;
    unsigned receive_readies = 0;
    unsigned refused_accesses = 0;
    Nanoseconds timer = kNever;

    bool logged(std::string_view text) const {
        for (const std::string& line : lines)
            if (line.find(text) != std::string::npos) return true;
        return false;
    }

    // ---- Host ----

    bool dma_read(BusAddress address, std::span<std::byte> out) override {
        if (!reachable(address, out.size())) return false;
        if (!out.empty()) std::memcpy(out.data(), at(address, out.size()), out.size());
        return true;
    }
    bool dma_write(BusAddress address, std::span<const std::byte> data) override {
        if (!reachable(address, data.size())) return false;
        if (!data.empty()) std::memcpy(at(address, data.size()), data.data(), data.size());
        return true;
    }
    bool dma_store64(BusAddress address, std::uint64_t value) override {
        CHECK(address % 8 == 0);
        return dma_write(address, std::as_bytes(std::span(&value, 1)));
    }
    void raise_interrupt(std::uint32_t vector) override { ++interrupts.at(vector); }
    SendResult send_frame(std::span<const std::byte> frame) override {
        if (on_send) on_send();
        if (send_result == SendResult::sent) frames.emplace_back(frame.begin(), frame.end());
        return send_result;
    }
    void receive_ready() override { ++receive_readies; }
    Nanoseconds now() override { return time; }
    Nanoseconds wall_time() override { return time; }
    void set_timer(Nanoseconds deadline) override { timer = deadline; }
    void schedule_run() override { ++runs_scheduled; }
    void log(LogLevel, std::string_view line) override { lines.emplace_back(line); }

  private:
    bool reachable(BusAddress address, std::size_t size) {
        if (on_dma) on_dma(address, size);
        const bool inside =
            address >= kBase && size <= kSize && address - kBase <= kSize - size;
        const bool in_hole = hole != 0 && address < hole + 0x1000 && address + size > hole;
        if (inside && !in_hole) return true;
        ++refused_accesses;
        return false;
    }
    std::byte* at(BusAddress address, std::size_t size) {
        REQUIRE(address >= kBase);
        REQUIRE(address - kBase + size <= kSize);
        return memory_.data() + (address - kBase);
    }
    const std::byte* at(BusAddress address, std::size_t size) const {
        return const_cast<FakeHost*>(this)->at(address, size);
    }

    std::vector<std::byte> memory_;
    std::uint64_t allocated_ = 0;
};

// A contiguous page list over size bytes from a page-aligned address.
inline vrnic_page_list contiguous(BusAddress address, std::uint64_t size) {
    vrnic_page_list list{};
    list.addr = address;
    list.num_pages = static_cast<std::uint32_t>((size + 0xfff) / 0x1000);
    list.page_shift = 12;
    return list;
}

}  // namespace vrnic::test
