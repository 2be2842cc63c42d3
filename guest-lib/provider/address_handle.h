// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include "vrnic_ring.h"

namespace vrnic {

// Address handle: the address vector, which goes into each send entry that uses it. The device
// knows nothing of it, so that it may be destroyed as soon as its last request is posted.
struct Ah {
    ibv_ah verbs{};  // libibverbs'; first
    vrnic_av av{};

    static const Ah& from(const ibv_ah* ah) { return *reinterpret_cast<const Ah*>(ah); }
};

}  // namespace vrnic
