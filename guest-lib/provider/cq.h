// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>

#include "context.h"
#include "queue_memory.h"
#include "ring.h"
#include "spinlock.h"
#include "verbs_glue.h"
#include "vrnic_ring.h"

namespace vrnic {

// Completion queue: a ring that the device fills and the application empties (poll.cpp).
struct Cq {
    alignas(16) std::byte verbs[VRNIC_VERBS_CQ_SPACE]{};  // libibverbs'; first

    Context::State* context = nullptr;
    QueueMemory memory;
    Ring ring;
    vrnic_cq_dbrec* dbrec = nullptr;
    uint32_t cqn = 0;

    SpinLock lock;
    // Under the lock:
    uint64_t consumer_index = 0;  // of the next completion to take; never restarts
    uint32_t arm_sequence = 0;
    bool armed_for_any = false;  // since the last event

    static Cq& from(ibv_cq* cq) { return *reinterpret_cast<Cq*>(cq); }
    ibv_cq* ibv() { return reinterpret_cast<ibv_cq*>(verbs); }

    // The next completion, or nullptr when there is none yet. Under the lock.
    vrnic_cqe* completion_at(uint64_t index) const;
    // Makes poll skip what is still in the ring of a QP that is gone or was reset.
    void discard_completions_of(uint32_t qpn);
};

}  // namespace vrnic
