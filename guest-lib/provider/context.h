// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "doorbell.h"
#include "qp_table.h"
#include "vrnic-abi.h"

namespace vrnic {

// One open device of a process (ibv_open_device(3)).
struct Context {
    verbs_context verbs;  // libibverbs'; first, so that it and the Context are one address

    // Ours. Constructed after libibverbs made the part above.
    struct State {
        vrnic_ib_alloc_ucontext_resp limits{};
        void* doorbell_pages = nullptr;
        Doorbell doorbell;
        QpTable qps;
        // Held from a QP's creation in the kernel to its entry in the table, and from its
        // destruction to its exit: a QPN that the kernel hands out again is never lost.
        std::mutex qps_lock;
    } state;

    static Context& from(ibv_context* context);
};

}  // namespace vrnic
