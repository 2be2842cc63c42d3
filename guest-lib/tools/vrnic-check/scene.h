// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "buffer.h"
#include "channel.h"
#include "completions.h"
#include "device.h"
#include "failure.h"
#include "plan.h"
#include "queue_pair.h"

namespace vrnic::check {

using Statuses = std::vector<ibv_wc_status>;

// What was found of one case of a check that compares behaviour.
struct Finding {
    std::string name;
    std::string seen;       // by us, initiator or target
    std::string complaint;  // empty: right
};

// A check of behaviour, case by case, in step with the peer. Fails when the cases could not be run;
// wrong behaviour is what `found` is told of each.
using Found = std::function<void(const Finding&)>;
using BehaviourCheck = Result<void>(const Plan& plan, const Device& device, Channel& peer,
                                    bool is_client, const Found& found);

// Who starts: calls direction(initiator) for each that the plan has, until one fails.
Result<void> for_each_direction(const Plan& plan, bool is_client,
                                const std::function<Result<void>(bool initiator)>& direction);

// What one case needs on this side: memory with a known pattern, and a QP that is connected to the
// peer's. Each case has its own, as an error ends the QP.
class Scene {
  public:
    static constexpr uint32_t kSize = 4096;  // of the memory, in bytes

    struct Options {
        int access;  // of the memory
        QpOptions qp;
    };
    // Both sides at once: each tells the other of its memory and QP.
    static Result<Scene> set(const Plan& plan, const Device& device, Channel& peer, bool initiator,
                             const Options& options);

    Completions completions;
    Buffer memory;
    QueuePair pair;
    uint64_t background = 0;       // key of the pattern of our memory
    uint64_t peer_background = 0;  // of the peer's
    uint64_t peer_address = 0;
    uint32_t peer_rkey = 0;

    uint64_t address(size_t offset = 0) const {
        return reinterpret_cast<uint64_t>(memory.bytes().data()) + offset;
    }
    // Of our memory.
    ibv_sge piece(size_t offset, uint32_t length) const {
        return {address(offset), length, memory.mr()->lkey};
    }

    // The first complaint is kept.
    void complain(std::string text);
    // Takes the next completion, and complains when it is not the one that is expected.
    std::optional<ibv_wc> expect(uint64_t wr_id, const Statuses& statuses);
    void expect_error_state();
    Finding finding(std::string name) const;

  private:
    Scene(Completions&& c, Buffer&& m, QueuePair&& p)
        : completions(std::move(c)), memory(std::move(m)), pair(std::move(p)) {}

    uint32_t timeout_seconds_ = 0;
    std::vector<ibv_wc> waiting_;  // taken from the queue, not yet expected
    std::string complaint_;
    std::vector<std::string> seen_;
};

}  // namespace vrnic::check
