// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "clock.h"
#include "doorbell.h"
#include "number_table.h"
#include "vrnic-abi.h"

namespace vrnic {

struct Qp;
struct Srq;

// One open device of a process (ibv_open_device(3)).
struct Context {
    verbs_context verbs;  // libibverbs'; first, so that it and the Context are one address

    // Ours. Constructed after libibverbs made the part above.
    struct State {
        vrnic_ib_alloc_ucontext_resp limits{};
        void* doorbell_pages = nullptr;
        void* clock_pages = nullptr;
        void* state_pages = nullptr;
        Doorbell doorbell;
        DeviceClock clock;
        const vrnic_ib_state* device = &kNeverGone;
        NumberTable<Qp> qps;
        NumberTable<Srq> srqs;
        // Held from an object's creation in the kernel to its entry in its table, and from its
        // destruction to its exit: a number that the kernel hands out again is never lost.
        std::mutex tables_lock;

        // False: the device is gone, for good. The kernel has taken its mappings away, or has left
        // them to be harmless, and completes nothing any more.
        bool alive() const { return __atomic_load_n(&device->alive, __ATOMIC_ACQUIRE) != 0; }

        static constexpr vrnic_ib_state kNeverGone{.alive = 1};  // a driver that does not tell
    } state;

    static Context& from(ibv_context* context);
};

}  // namespace vrnic
