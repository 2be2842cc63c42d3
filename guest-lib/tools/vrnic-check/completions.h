// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>
#include <vector>

#include "failure.h"
#include "verbs_objects.h"

namespace vrnic::check {

// A send and a receive completion queue, watched together, by polling or by events.
class Completions {
  public:
    // `entries` of each queue.
    static Result<Completions> create(ibv_context* context, uint32_t entries, bool events);

    ibv_cq* send_cq() const { return send_cq_.get(); }
    ibv_cq* receive_cq() const { return receive_cq_.get(); }

    // At least one completion, of either queue; fails when none comes within the time.
    Result<std::vector<ibv_wc>> wait(uint32_t timeout_seconds);
    // What is there now, perhaps nothing.
    Result<std::vector<ibv_wc>> poll();
    // The same after an event, for which the call to the library waits without limit; after the end
    // of the events, too.
    Result<std::vector<ibv_wc>> sleep();
    Result<void> destroy();

  private:
    Result<std::vector<ibv_wc>> wait_for_event(uint32_t timeout_seconds);

    ChannelPtr channel_;  // nullptr: polling
    CqPtr send_cq_;
    CqPtr receive_cq_;
};

}  // namespace vrnic::check
