// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "context.h"
#include "domain.h"
#include "queue_memory.h"
#include "receive_entry.h"
#include "ring.h"
#include "spinlock.h"
#include "verbs_glue.h"
#include "vrnic_ring.h"

namespace vrnic {

// Shared receive queue. The device takes entries in order, but they complete in any: each carries a
// tag, which its completion names. There are as many tags as places in the ring, and a tag is in
// use from the post to the completion. So whoever has a tag has a place too: when fewer entries
// than the ring holds are not completed, the one that was at the next place was taken (it was
// copied then).
struct Srq {
    alignas(16) std::byte verbs[VRNIC_VERBS_SRQ_SPACE]{};  // libibverbs'; first

    Context::State* context = nullptr;
    DomainUse domain;
    QueueMemory memory;
    Ring ring;
    vrnic_le32* producer_record = nullptr;
    uint32_t srqn = 0;
    uint32_t max_sge = 0;
    ibv_cq* cq = nullptr;  // of an XRC one: where its entries complete

    SpinLock lock;
    // Under the lock:
    uint32_t produced = 0;
    uint32_t num_tags = 0;               // at least the ring's size; never fewer than there were
    uint32_t free_tags = 0;              // how many of them
    std::unique_ptr<uint64_t[]> wr_ids;  // by tag
    std::unique_ptr<uint32_t[]> tags;    // the first free_tags of these are free

    static Srq& from(ibv_srq* srq) { return *reinterpret_cast<Srq*>(srq); }
    ibv_srq* ibv() { return reinterpret_cast<ibv_srq*>(verbs); }

    bool has_room() const { return num_tags - free_tags < ring.size(); }
    // The entry of that tag is done: its wr_id.
    uint64_t retire(uint32_t tag);
    // At least so many tags from now on. False: no memory, and nothing has changed.
    [[nodiscard]] bool add_tags(uint32_t wanted);
};

}  // namespace vrnic
