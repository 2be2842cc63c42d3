// SPDX-License-Identifier: GPL-2.0-or-later
// Two engines joined in memory and what they carry.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench_host.h"
#include "sim/driver.h"
#include "sim/trace.h"

namespace vrnic::bench {

struct Load {
    std::uint8_t operation = VRNIC_OP_WRITE;  // VRNIC_OP_SEND, _WRITE, _READ
    std::uint32_t size = 64;                  // bytes of a message
    std::uint32_t qps = 1;
    std::uint8_t path_mtu = 5;       // 4096
    std::uint32_t idle_qps = 0;      // of each machine, connected, that do nothing
    std::uint32_t idle_regions = 0;  // of each machine
    std::uint32_t batch = 0;  // messages of a queue pair with one doorbell; 0: as many as fit
};

// One machine, as sim::Node, with a host that is made for measuring.
struct Machine {
    Machine(sim::World& world, sim::Link& link, std::uint8_t number, std::size_t memory_bytes);

    BenchHost host;
    Engine engine;
    sim::SimDriver driver;
};

// A asks, B answers. All work queue entries are written once and used again and again, so that the
// guest's part of the work is an index and a doorbell.
class Traffic {
  public:
    explicit Traffic(const Load& load);

    // At least so many messages, each signaled; returns how many it were. Throws when one fails.
    std::uint64_t run(std::uint64_t messages);

  private:
    // What the guests' part of the work needs, and nothing more: with thousands of queue pairs it
    // would be measured, too.
    struct Flow {
        std::byte* sq_pi;  // in the asking one's doorbell record, in its guest's memory
        std::byte* rq_pi;  // in the answering one's
        std::uint32_t qpn;
        std::uint32_t posted = 0;
    };

    void add_idle();
    void fill_entries(sim::GuestQp& asks, sim::GuestQp& answers);
    void post(Flow& flow);
    void carry(std::uint64_t completions);
    void wait_for_timer();
    void consume(Machine& machine, sim::GuestCq& cq, std::uint64_t completions);

    Load load_;
    std::uint32_t batch_;  // entries that are posted to a QP with one doorbell
    sim::World world_;
    sim::Trace trace_;
    sim::Link link_;
    FrameRing to_a_, to_b_;
    Machine a_, b_;
    std::vector<sim::Region> regions_;  // of A, of B
    std::vector<Flow> flows_;
    sim::GuestCq* cq_a_;
    sim::GuestCq* cq_b_;
};

}  // namespace vrnic::bench
