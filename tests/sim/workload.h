// SPDX-License-Identifier: GPL-2.0-or-later
// A random mix of operations on many QPs, both ways at once. Every byte is compared, no byte may
// come twice: as soon as an operation is complete its buffers are overwritten, and must stay so.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "nodes.h"
#include "pattern.h"

namespace vrnic::sim {

struct WorkloadOptions {
    std::uint64_t seed = 1;
    std::uint32_t qps = 4;             // on each side
    std::uint32_t operations = 60;     // of each QP, as requester
    std::uint32_t depth = 8;           // operations of a QP in flight at most
    std::uint32_t max_bytes = 12'000;  // of one operation
    std::uint8_t gid_index = 0;
    std::uint8_t path_mtu = 0;   // 0: any for each QP
    bool receives_late = false;  // receives are posted late now and then: RNR
};

class Workload {
  public:
    Workload(Pair& pair, const WorkloadOptions& options);
    ~Workload();

    // Runs to the end; what went wrong, or nothing.
    std::string run(Nanoseconds time_limit);

  private:
    struct Operation;
    struct Side;
    struct Flow;
    struct Counter;

    void make_flow(Node& from, GuestCq& from_cq, GuestQp& from_qp, Node& to, GuestCq& to_cq,
                   GuestQp& to_qp);
    void post(Flow& flow);
    void post_receives(Flow& flow);
    void send_done(const vrnic_cqe& cqe, Flow& flow);
    void receive_done(const vrnic_cqe& cqe, Flow& flow);
    void poll(Node& node, GuestCq& cq);
    void release(Flow& flow, Operation& operation);
    void note_original(Flow& flow, Operation& operation);
    Counter& counter_at(const Node& node);
    void check_quiet();
    void fail(const std::string& what);
    bool done() const;

    Pair& pair_;
    WorkloadOptions options_;
    Random random_;
    std::vector<std::unique_ptr<Flow>> flows_;
    std::vector<std::unique_ptr<Counter>> counters_;  // of a, of b
    std::string wrong_;
};

// Many QPs under all faults that a link and the devices can have; what went wrong, or nothing.
struct LargeSoak {
    std::uint64_t seed = 1;
    std::uint32_t qps = 100;
    std::uint32_t operations = 20;  // of each QP of each side
};
std::string run_large_soak(const LargeSoak& soak);

}  // namespace vrnic::sim
