// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>

#include "cq.h"
#include "vrnic_ring.h"

namespace vrnic {

// The request that a completion is of, as its poster knows it.
struct CompletedWork {
    uint64_t wr_id;
    ibv_wc_opcode opcode;
};

// A completion that was discarded names no QP.
inline constexpr uint32_t kNoQp = 0xffffffff;  // those have 24 bits

// Finds the request and makes its place in its queue free. False: the completion was discarded.
// Under the lock of the completion queue, once for each completion.
[[nodiscard]] bool complete(const Cq& cq, const vrnic_cqe& cqe, CompletedWork& work);

unsigned completion_flags(const vrnic_cqe& cqe);  // IBV_WC_*

}  // namespace vrnic
