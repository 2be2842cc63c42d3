// SPDX-License-Identifier: GPL-2.0-or-later
// What the engine is given: guest memory, interrupts, wire, clock. One implementation lives in
// QEMU, others in unit tests and in the simulator.
//
// All calls are made from the one thread the engine runs in. Any of them may call back into the
// engine (a netdev answers inside send, a DMA may hit the device's own BAR): the engine's entry
// points then only take note and return (see Engine).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vrnic {

using BusAddress = std::uint64_t;
using Nanoseconds = std::uint64_t;
inline constexpr Nanoseconds kNever = ~Nanoseconds{0};

enum class SendResult {
    sent,    // taken by the wire (or lost by it: a wire promises nothing)
    paused,  // NOT taken: full; Engine::wire_ready() will be called, then send it again
};

enum class LogLevel {
    guest_error,
    info,
    fault,  // one that a rule asked for
};

class Host {
  public:
    virtual ~Host() = default;

    // Guest memory by bus address; false when any byte could not be reached (and the rest is
    // undefined).
    [[nodiscard]] virtual bool dma_read(BusAddress address, std::span<std::byte> out) = 0;
    [[nodiscard]] virtual bool dma_write(BusAddress address, std::span<const std::byte> data) = 0;

    // Stores eight bytes (host order value, written little-endian) by one aligned store, after all
    // earlier dma_write calls are visible to the guest.
    [[nodiscard]] virtual bool dma_store64(BusAddress address, std::uint64_t value) = 0;

    // MSI-X vector; masked ones become pending as PCI has it.
    virtual void raise_interrupt(std::uint32_t vector) = 0;

    // One Ethernet frame without FCS, 14 bytes at least.
    [[nodiscard]] virtual SendResult send_frame(std::span<const std::byte> frame) = 0;

    // Frames that the wire refused while the engine was busy can be taken again
    // (Engine::can_receive).
    virtual void receive_ready() = 0;

    // The virtual clock.
    virtual Nanoseconds now() = 0;
    // Nanoseconds since 1970, for people who compare with other machines. Never decides anything.
    virtual Nanoseconds wall_time() = 0;
    // Engine::on_timer() is to be called at or after the deadline; kNever: not at all. One timer,
    // the last call counts.
    virtual void set_timer(Nanoseconds deadline) = 0;
    // Engine::run() is to be called soon, from the outside, once.
    virtual void schedule_run() = 0;

    // One line about the guest's mistakes, the device's life or its faults. May be rate limited by
    // the implementation.
    virtual void log(LogLevel level, std::string_view line) = 0;
};

}  // namespace vrnic
