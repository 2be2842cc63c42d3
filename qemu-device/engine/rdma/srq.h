// SPDX-License-Identifier: GPL-2.0-or-later
// Shared receive queues (IBTA 10.2.9), ordinary ones and those of an XRC domain (A14.2.1).
#pragma once

#include <cstdint>

#include "base/chunked_table.h"
#include "base/counters.h"
#include "base/id_pool.h"
#include "base/result.h"
#include "control/events.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "rdma/cq.h"
#include "rdma/work_ring.h"
#include "vrnic_admin.h"

namespace vrnic {

struct SharedReceiveQueue {
    bool live = false;
    bool failed = false;  // its memory could not be used: gives nothing more
    std::uint32_t srqn = 0;
    std::uint32_t pdn = 0;
    std::uint32_t xrcdn = 0;  // 0: an ordinary one
    std::uint32_t cqn = 0;    // XRC
    std::uint32_t limit = 0;  // an event when fewer entries are left; 0: none
    std::uint32_t users = 0;  // queue pairs that were made with it
    std::uint32_t dbrec_offset = 0;
    WorkRing ring;
    PagedMemory memory;

    bool is_xrc() const { return xrcdn != 0; }
};

struct SrqLimits {
    std::uint32_t max_srqs;
    std::uint32_t max_entries;
    std::uint32_t max_pages;  // of the memory of one
};

class SrqTable {
  public:
    SrqTable(Host& host, Counters& counters, EventQueues& events, CqTable& cqs,
             const SrqLimits& limits);

    // Admin commands; PD and XRC domain were checked.
    AdminResult<std::uint32_t> create(const vrnic_cmd_create_srq& cmd);
    AdminResult<void> modify(const vrnic_cmd_modify_srq& cmd);
    AdminResult<void> resize(const vrnic_cmd_resize_srq& cmd);
    AdminResult<vrnic_resp_query_srq> query(std::uint32_t srqn);
    AdminResult<void> destroy(std::uint32_t srqn);
    void reset();

    SharedReceiveQueue* find(std::uint32_t srqn);           // nullptr: no such queue
    std::uint32_t srqs_of_pd(std::uint32_t pdn) const;      // O(n): for dealloc
    std::uint32_t srqs_of_xrcd(std::uint32_t xrcdn) const;  // O(n): for dealloc

    // Is there an entry to take? An error is that of the queue, which has failed then.
    Available available(SharedReceiveQueue& srq);
    // After an entry was taken: raises the limit's event when it is time for it.
    void entry_taken(SharedReceiveQueue& srq);
    // For good, with an event (IBTA 11.6.3.2).
    void fail(SharedReceiveQueue& srq, Syndrome syndrome);

  private:
    Available read_producer(SharedReceiveQueue& srq);
    void check_limit(SharedReceiveQueue& srq);

    Host& host_;
    Counters& counters_;
    EventQueues& events_;
    CqTable& cqs_;
    SrqLimits limits_;
    ChunkedTable<SharedReceiveQueue> queues_;
    IdPool numbers_;
};

}  // namespace vrnic
