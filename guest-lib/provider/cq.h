// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>

#include "clock.h"
#include "context.h"
#include "domain.h"
#include "queue_memory.h"
#include "ring.h"
#include "spinlock.h"
#include "verbs_glue.h"
#include "vrnic_ring.h"

namespace vrnic {

struct WorkQueue;

// Completion queue: a ring that the device fills and the application empties, by ibv_poll_cq
// (poll.cpp) or one by one (poll_extended.cpp).
struct Cq {
    alignas(16) std::byte verbs[VRNIC_VERBS_CQ_SPACE]{};  // libibverbs'; first

    Context::State* context = nullptr;
    DomainUse domain;
    QueueMemory memory;
    Ring ring;
    vrnic_cq_dbrec* dbrec = nullptr;
    uint32_t cqn = 0;

    SpinLock lock;
    // Under the lock:
    uint64_t consumer_index = 0;  // of the next completion to take; never restarts
    uint32_t arm_sequence = 0;
    bool armed_for_any = false;   // since the last event
    WorkQueue* queues = nullptr;  // those that complete here; linked by next_of_cq
    vrnic_cqe flushed{};          // of next()

    // Between start_poll and end_poll, which hold the lock:
    const vrnic_cqe* current = nullptr;
    ibv_wc_opcode current_opcode{};
    WallClock wall_clock;

    static Cq& from(ibv_cq* cq) { return *reinterpret_cast<Cq*>(cq); }
    static Cq& from(ibv_cq_ex* cq) { return *reinterpret_cast<Cq*>(cq); }
    ibv_cq* ibv() { return reinterpret_cast<ibv_cq*>(verbs); }
    ibv_cq_ex* extended() { return reinterpret_cast<ibv_cq_ex*>(verbs); }

    // The completion of that index, or nullptr when there is none yet. Under the lock.
    vrnic_cqe* completion_at(uint64_t index) const;
    // Completions before that index are taken: their places are free. Under the lock.
    void consume_to(uint64_t index);
    // The completion of that index, which moves on; or, when the device is gone and has left none,
    // one in its stead, of a request that it will not complete, there until the next call.
    // nullptr: none. Under the lock.
    const vrnic_cqe* next(uint64_t& index);
    void add(WorkQueue& queue);
    void remove(WorkQueue& queue);
    // Makes poll skip what is still in the ring of a QP that is gone or was reset, or of a shared
    // receive queue that is gone. Receives from a shared queue give their tags back.
    void discard_completions_of(uint32_t qpn);
    void discard_completions_of_srq(uint32_t srqn);

  private:
    const vrnic_cqe* next_flushed();
};

// Sets the calls of a queue made with ibv_create_cq_ex(3), those that wc_flags ask for.
void set_poll_calls(ibv_cq_ex& cq, uint64_t wc_flags);

}  // namespace vrnic
