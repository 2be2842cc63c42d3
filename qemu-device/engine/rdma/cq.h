// SPDX-License-Identifier: GPL-2.0-or-later
// Completion queues: posting, arming, moderation, overflow (IBTA 10.8, 11.4.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/chunked_table.h"
#include "base/counters.h"
#include "base/id_pool.h"
#include "base/result.h"
#include "control/events.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "rdma/timers.h"
#include "streams/streams.h"
#include "vrnic_admin.h"
#include "vrnic_contexts.h"
#include "vrnic_ring.h"

namespace vrnic {

struct CompletionQueue {
    bool live = false;
    bool failed = false;  // overflow or unreachable memory: takes nothing more
    std::uint32_t cqn = 0;
    std::uint32_t uar = 0;
    std::uint32_t eqn = 0;
    std::uint32_t size = 0;      // entries, a power of two
    std::uint64_t index = 0;     // of the next completion
    std::uint32_t consumed = 0;  // as last read from the record
    std::uint32_t users = 0;  // queues that complete here; destroy is refused while there are any
    std::uint32_t arm_sequence = 0;  // of the last request
    bool armed = false;
    bool armed_solicited_only = false;
    bool event_sent = false;        // at least one; event_index is the last one's
    std::uint64_t event_index = 0;  // in the event queue
    bool event_owed = false;        // one more is to be sent, see CqTable::notify
    std::uint64_t told_index = 0;   // one past the last completion that an event has told of
    std::uint32_t next_owed = EventQueue::kNone;  // CQN, in the list of the event queue
    std::uint64_t solicited_index = 0;            // one past the last solicited completion or error
    std::uint32_t untold_solicited = 0;           // such ones since the last event
    std::uint32_t event_count = 1;  // moderation: completions that an event waits for, or
    Nanoseconds event_period = 0;   // so long from the first of them; 0: an event waits for nothing
    std::uint32_t waiting = 0;      // completions that armed it and wait for their event
    std::uint32_t ring_offset = 0;
    std::uint32_t dbrec_offset = 0;
    PagedMemory memory;
};

class CqTable {
  public:
    CqTable(Host& host, Counters& counters, EventQueues& events, Streams& streams,
            std::uint32_t max_cqs, std::uint32_t max_entries, std::uint32_t max_pages);

    AdminResult<std::uint32_t> create(const vrnic_cmd_create_cq& cmd);  // uar and eqn were checked
    AdminResult<void> destroy(std::uint32_t cqn);
    AdminResult<void> raise_event(std::uint32_t cqn);  // though nobody has armed it
    AdminResult<void> resize(const vrnic_cmd_resize_cq& cmd);
    AdminResult<void> moderate(const vrnic_cmd_moderate_cq& cmd);  // count, period were checked
    void reset();

    CompletionQueue* find(std::uint32_t cqn);  // nullptr: no such queue

    // Writes one completion (all fields but seq and timestamp are the caller's) and raises the
    // event that was asked for. A success is solicited when flags say VRNIC_CQE_SOLICITED; errors
    // always count as solicited. False when the queue has failed or fails now (overflow: CQ_ERROR
    // event once): the caller moves its QP to the error state (IBTA 11.6.3.1).
    [[nodiscard]] bool post(std::uint32_t cqn, vrnic_cqe completion);

    std::optional<vrnic_cq_context> describe(std::uint32_t cqn) const;  // nullopt: no such queue

    void arm(CompletionQueue& cq);  // the arm doorbell rang: reads the record

    // The driver has taken events of queue eqn: sends those that waited for that.
    void events_consumed(std::uint32_t eqn);

    Nanoseconds next_deadline() const;  // kNever: no event waits for its time
    void on_deadline(Nanoseconds now);  // sends the events whose time has come

    std::uint32_t cqs_of_uar(std::uint32_t uar) const;  // O(n): for free_uar only

  private:
    bool read_record(CompletionQueue& cq, vrnic_cq_dbrec& record);
    // Of an armed queue: so many completions wait for their event.
    void wait_for_event(CompletionQueue& cq, std::uint64_t waiting);
    void disarm(CompletionQueue& cq);
    void notify(CompletionQueue& cq);
    bool may_notify(const CompletionQueue& cq, const EventQueue& eq) const;
    void forget_owed(CompletionQueue& cq);
    void fail(CompletionQueue& cq, std::uint32_t syndrome, std::string_view reason);

    Host& host_;
    Counters& counters_;
    EventQueues& events_;
    Streams& streams_;
    std::uint32_t max_entries_;
    std::uint32_t max_pages_;
    ChunkedTable<CompletionQueue> queues_;
    IdPool numbers_;
    std::optional<Timers> timers_;  // by CQN; made when the first queue is moderated
};

}  // namespace vrnic
