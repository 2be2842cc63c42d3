// SPDX-License-Identifier: GPL-2.0-or-later
// One machine as the engine sees it: flat guest memory, interrupts, a timer, a place on the link.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine.h"
#include "host/host.h"
#include "link.h"
#include "world.h"

namespace vrnic::sim {

class SimHost : public Host {
  public:
    SimHost(World& world, Link& link, std::size_t memory_bytes);

    void connect(Engine& engine) { engine_ = &engine; }

    // ---- for the guest's side ----

    // Guest memory; address..address+size must lie in it.
    std::span<std::byte> memory(BusAddress address, std::size_t size);
    template <typename T>
    T load(BusAddress address) {
        T value;
        std::memcpy(&value, memory(address, sizeof(T)).data(), sizeof(T));
        return value;
    }
    template <typename T>
    void store(BusAddress address, const T& value) {
        std::memcpy(memory(address, sizeof(T)).data(), &value, sizeof(T));
    }
    BusAddress base() const { return kBase; }
    std::size_t memory_bytes() const { return memory_bytes_; }
    // In huge pages where there are some, as QEMU has its guests' memory.
    void use_huge_pages();

    std::uint64_t interrupts(std::uint32_t vector) const { return interrupts_.at(vector); }
    const std::deque<std::string>& lines() const { return lines_; }  // the last ones logged
    std::uint32_t port() const { return port_; }

    // From now on the page at this address cannot be reached by the device.
    void make_hole(BusAddress page) { holes_.insert(page >> 12); }
    void fill_hole(BusAddress page) { holes_.erase(page >> 12); }

    // Called before each write of the device: address, bytes.
    std::function<void(BusAddress, std::size_t)> on_write;
    // Called before each frame leaves; may call into the engine, as a netdev may.
    std::function<void(std::span<const std::byte>)> on_send;

    // ---- for the link ----
    void deliver(std::span<const std::byte> frame);
    void wire_ready() { engine_->wire_ready(); }

    // ---- for the engine ----
    bool dma_read(BusAddress address, std::span<std::byte> out) override;
    bool dma_write(BusAddress address, std::span<const std::byte> data) override;
    bool dma_store64(BusAddress address, std::uint64_t value) override;
    void raise_interrupt(std::uint32_t vector) override;
    SendResult send_frame(std::span<const std::byte> frame) override;
    void receive_ready() override;
    Nanoseconds now() override { return world_.now(); }
    Nanoseconds wall_time() override { return world_.now(); }
    void set_timer(Nanoseconds deadline) override;
    void schedule_run() override;
    void log(LogLevel level, std::string_view line) override;

  private:
    static constexpr BusAddress kBase =
        0x1'0000'0000;  // not zero: an address that was never set is a hole
    static constexpr Nanoseconds kRunDelay = 200;
    static constexpr std::size_t kKeptLines = 200;

    bool reachable(BusAddress address, std::size_t size) const;

    World& world_;
    Link& link_;
    Engine* engine_ = nullptr;
    std::uint32_t port_;
    struct Free {
        void operator()(std::byte* memory) const { std::free(memory); }
    };
    std::size_t memory_bytes_;
    std::unique_ptr<std::byte[], Free> memory_;  // from calloc: costs only what is touched
    std::set<std::uint64_t> holes_;              // page numbers
    std::array<std::uint64_t, 64> interrupts_{};
    std::deque<std::vector<std::byte>> held_;  // frames the engine could not take yet
    std::deque<std::string> lines_;
    std::optional<World::EventId> timer_;
    bool run_scheduled_ = false;
};

}  // namespace vrnic::sim
