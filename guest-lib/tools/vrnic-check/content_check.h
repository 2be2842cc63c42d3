// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "buffer.h"
#include "channel.h"
#include "completions.h"
#include "device.h"
#include "failure.h"
#include "plan.h"
#include "queue_pair.h"
#include "slot.h"

namespace vrnic::check {

// Moves messages with every operation, size and way to describe the memory, and looks at every byte
// of every buffer afterwards. Both sides run it in step.
class ContentCheck {
  public:
    struct Totals {
        uint64_t messages = 0;
        uint64_t bytes = 0;
    };

    // The references must outlive the object.
    ContentCheck(const Plan& plan, const Device& device, Channel& peer, bool is_client)
        : plan_(plan), device_(device), peer_(peer), is_client_(is_client) {}

    Result<void> set_up();
    // Calls `done` after each operation.
    Result<void> run(const std::function<void(const OperationInfo&, const Totals&)>& done);

    // By operation, both directions.
    const std::array<Totals, std::size(kOperations)>& totals() const { return totals_; }
    std::string describe() const;

  private:
    // How the initiator describes its memory.
    enum class Variant { kPlain, kInline, kPieces };
    struct Case {
        Operation operation;
        Variant variant;
        uint32_t size;
        uint32_t round;
        uint64_t number;
    };
    // Something that must complete on a QP, in order.
    struct Expected {
        uint64_t wr_id;
        ibv_wc_opcode opcode;
        uint32_t length;
        bool immediate;
        uint32_t immediate_data;  // network order
    };
    struct Work {
        QueuePair pair;
        std::deque<Expected> sends;
        std::deque<Expected> receives;
    };

    bool runs(const Case& c) const;
    static const char* name_of(Variant variant);
    std::string name_of(const Case& c) const;
    uint32_t messages_of(const Case& c) const;
    uint32_t qp_of(const Case& c, uint32_t message) const;
    uint64_t key_of_message(const Case& c, bool client_starts, uint32_t message) const;
    Slot local_slot(const Case& c, uint32_t message) const;
    Slot target_slot(const Case& c, uint32_t message) const;
    uint64_t remote_address(const Case& c, uint32_t message) const;

    Result<void> run_case(const Case& c);
    void fill(const Case& c);
    Result<void> post_receives(const Case& c);
    Result<void> post_sends(const Case& c);
    Result<void> complete(const Case& c);
    Result<void> check_completion(const Case& c, const ibv_wc& wc);
    Result<void> verify(const Case& c) const;

    const Plan& plan_;
    const Device& device_;
    Channel& peer_;
    const bool is_client_;
    bool initiates_ = false;
    bool is_target_ = false;

    Completions completions_;
    Buffer local_;   // of messages that we start
    Buffer target_;  // of messages that the peer starts
    std::vector<Work> work_;
    std::unordered_map<uint32_t, size_t> work_of_qpn_;
    size_t pending_ = 0;  // completions that are still to come

    ibv_mtu mtu_ = IBV_MTU_1024;
    uint32_t sges_ = 1;  // what both sides can do
    uint32_t max_inline_ = 0;
    std::string peer_name_;
    uint64_t peer_address_ = 0;  // of its target buffer
    uint32_t peer_rkey_ = 0;
    std::array<Totals, std::size(kOperations)> totals_{};
};

}  // namespace vrnic::check
