// SPDX-License-Identifier: GPL-2.0-or-later
// The whole device: what QEMU's glue, the unit tests and the simulator hold.
//
// One thread at a time. While the engine works it may be called again (see Host): such nested calls
// are noted and carried out before the outer call returns or in the next run(); none of them
// recurses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "control/config.h"
#include "faults/rule.h"
#include "host/host.h"

namespace vrnic {

class Engine {
  public:
    Engine(Host& host, const EngineConfig& config);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // BAR0. Any offset, any size: what is not an aligned access of 4 or 8 bytes to a register reads
    // as 0 and is counted.
    std::uint64_t read_register(std::uint64_t offset, unsigned size);
    void write_register(std::uint64_t offset, std::uint64_t value, unsigned size);
    // BAR2.
    void write_doorbell(std::uint64_t offset, std::uint64_t value, unsigned size);

    // From the wire. can_receive() false: keep the frame and wait for Host::receive_ready().
    bool can_receive() const;
    void receive_frame(std::span<const std::byte> frame);
    void wire_ready();  // a frame that was refused (SendResult::paused) may be tried again

    void on_timer();  // the deadline given to Host::set_timer has passed
    void run();       // asked for by Host::schedule_run

    void set_link(bool up);
    void reset();  // PCI reset, FLR: everything as after construction, nothing of before goes on

    const Counters& counters() const;

    // Writes every frame, of both directions, to this file from now on; an empty name ends that.
    // name: of the interface, for readers of the file. The error is one line for people, and
    // leaves things as they were.
    std::expected<void, std::string> set_capture(const std::string& file, std::string_view name);
    std::string capture() const;  // the file that is being written, or nothing
    void flush_capture();         // what was captured is in the file; to be called now and then

    // What is to go wrong from now on, instead of what was to before. Rules outlive a reset. The
    // error is one line for people, and leaves things as they were.
    std::expected<void, std::string> set_faults(std::span<const FaultRule> rules);
    std::expected<void, std::string> set_faults(std::string_view rules);  // faults/text.h
    std::string faults() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vrnic
