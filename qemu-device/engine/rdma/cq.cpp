// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/cq.h"

#include <algorithm>
#include <utility>

#include "host/log.h"
#include "rdma/ring_copy.h"

namespace vrnic {
namespace {

// The offsets of what a command says of a queue's memory: CREATE_CQ and RESIZE_CQ have the same
// fields.
struct MemoryFields {
    std::uint32_t log_size;
    std::uint32_t ring_offset;
    std::uint32_t dbrec_offset;
    std::uint32_t memory;
};
#define MEMORY_FIELDS(type)                                            \
    MemoryFields {                                                     \
        VRNIC_FIELD(type, log_size), VRNIC_FIELD(type, ring_offset),   \
            VRNIC_FIELD(type, dbrec_offset), VRNIC_FIELD(type, memory) \
    }

template <typename Command>
AdminResult<PagedMemory> memory_of(Host& host, const Command& cmd, const MemoryFields& fields,
                                   std::uint32_t max_entries, std::uint32_t max_pages) {
    const auto invalid = [](std::uint32_t detail) {
        return admin_error(VRNIC_STATUS_INVALID, detail);
    };
    if (cmd.log_size >= 32 || (std::uint64_t{1} << cmd.log_size) > max_entries)
        return invalid(fields.log_size);
    if (cmd.ring_offset % sizeof(vrnic_cqe) != 0) return invalid(fields.ring_offset);
    if (cmd.dbrec_offset % sizeof(vrnic_cq_dbrec) != 0) return invalid(fields.dbrec_offset);
    // So that entries are aligned on the bus, too, and none crosses a page.
    if (cmd.memory.offset % sizeof(vrnic_cqe) != 0)
        return invalid(fields.memory + offsetof(vrnic_page_list, offset));

    const std::uint64_t size = std::uint64_t{1} << cmd.log_size;
    const std::uint64_t ring_end = cmd.ring_offset + size * sizeof(vrnic_cqe);
    const std::uint64_t record_end = std::uint64_t{cmd.dbrec_offset} + sizeof(vrnic_cq_dbrec);
    return PagedMemory::create(host, cmd.memory, std::max(ring_end, record_end), max_pages,
                               fields.memory);
}

// Index of the next completion that the consumer has not taken.
std::uint64_t consumed_index(const CompletionQueue& cq) {
    return cq.index - (static_cast<std::uint32_t>(cq.index) - cq.consumed);
}

}  // namespace

CqTable::CqTable(Host& host, Counters& counters, EventQueues& events, Streams& streams,
                 std::uint32_t max_cqs, std::uint32_t max_entries, std::uint32_t max_pages)
    : host_(host),
      counters_(counters),
      events_(events),
      streams_(streams),
      max_entries_(max_entries),
      max_pages_(max_pages),
      queues_(max_cqs),
      numbers_(0, max_cqs) {}

AdminResult<std::uint32_t> CqTable::create(const vrnic_cmd_create_cq& cmd) {
    EventQueue* eq = events_.find(cmd.eqn);
    if (!eq || cmd.eqn == 0)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_cq, eqn));
    auto memory =
        memory_of(host_, cmd, MEMORY_FIELDS(vrnic_cmd_create_cq), max_entries_, max_pages_);
    if (!memory) return std::unexpected(memory.error());

    const auto cqn = numbers_.take();
    if (!cqn) return admin_error(VRNIC_STATUS_LIMIT);
    CompletionQueue& cq = queues_.make(*cqn);
    cq = CompletionQueue{};
    cq.live = true;
    cq.cqn = *cqn;
    cq.uar = cmd.uar;
    cq.eqn = cmd.eqn;
    cq.size = 1u << cmd.log_size;
    cq.ring_offset = cmd.ring_offset;
    cq.dbrec_offset = cmd.dbrec_offset;
    cq.memory = std::move(*memory);
    ++eq->users;
    return *cqn;
}

AdminResult<void> CqTable::destroy(std::uint32_t cqn) {
    CompletionQueue* cq = find(cqn);
    if (!cq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    if (cq->users != 0) return admin_error(VRNIC_STATUS_BUSY);
    forget_owed(*cq);
    disarm(*cq);
    --events_.find(cq->eqn)->users;
    *cq = CompletionQueue{};
    streams_.forget(VRNIC_CONTEXT_CQ, cqn);
    numbers_.give_back(cqn);
    return {};
}

// What was not consumed is copied with its sequences, so that the consumer goes on where he was.
AdminResult<void> CqTable::resize(const vrnic_cmd_resize_cq& cmd) {
    CompletionQueue* cq = find(cmd.cqn);
    if (!cq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_resize_cq, cqn));
    auto memory =
        memory_of(host_, cmd, MEMORY_FIELDS(vrnic_cmd_resize_cq), max_entries_, max_pages_);
    if (!memory) return std::unexpected(memory.error());
    vrnic_cq_dbrec record;
    if (cq->failed || !read_record(*cq, record))
        return admin_error(VRNIC_STATUS_BAD_STATE, VRNIC_FIELD(vrnic_cmd_resize_cq, cqn));

    const std::uint32_t size = 1u << cmd.log_size;
    const std::uint64_t first = consumed_index(*cq);
    if (cq->index - first > size)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_resize_cq, log_size));

    if (!copy_ring(host_, {cq->memory, cq->ring_offset, cq->size}, {*memory, cmd.ring_offset, size},
                   sizeof(vrnic_cqe), first, cq->index)) {
        ++counters_.dma_errors;
        return admin_error(VRNIC_STATUS_DMA, VRNIC_FIELD(vrnic_cmd_resize_cq, memory));
    }
    cq->size = size;
    cq->ring_offset = cmd.ring_offset;
    cq->dbrec_offset = cmd.dbrec_offset;
    cq->memory = std::move(*memory);
    return {};
}

AdminResult<void> CqTable::moderate(const vrnic_cmd_moderate_cq& cmd) {
    constexpr Nanoseconds kMicrosecond = 1000;
    CompletionQueue* cq = find(cmd.cqn);
    if (!cq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_moderate_cq, cqn));
    const bool waits = cmd.count > 1 && cmd.period != 0;
    if (waits && !timers_) timers_.emplace(queues_.size());
    cq->event_count = waits ? cmd.count : 1;
    cq->event_period = waits ? cmd.period * kMicrosecond : 0;
    if (cq->armed) {  // what waits already waits by the new rule from now on
        if (timers_) timers_->cancel(cq->cqn);
        wait_for_event(*cq, cq->waiting);
    }
    return {};
}

void CqTable::reset() {
    queues_.clear();
    numbers_.reset();
    timers_.reset();
}

CompletionQueue* CqTable::find(std::uint32_t cqn) {
    CompletionQueue* cq = queues_.find(cqn);
    return cq && cq->live ? cq : nullptr;
}

std::optional<vrnic_cq_context> CqTable::describe(std::uint32_t cqn) const {
    const CompletionQueue* cq = queues_.find(cqn);
    if (!cq || !cq->live) return std::nullopt;
    vrnic_cq_context out{};
    out.cqn = cq->cqn;
    out.uar = cq->uar;
    out.eqn = cq->eqn;
    out.size = cq->size;
    out.index = cq->index;
    out.consumed = cq->consumed;
    out.users = cq->users;
    out.arm_sequence = cq->arm_sequence;
    out.event_count = cq->event_count;
    out.event_period = cq->event_period;
    out.waiting = cq->waiting;
    out.failed = cq->failed;
    out.armed = cq->armed;
    out.armed_solicited_only = cq->armed_solicited_only;
    out.event_owed = cq->event_owed;
    return out;
}

bool CqTable::post(std::uint32_t cqn, vrnic_cqe completion) {
    CompletionQueue* cq = find(cqn);
    if (!cq || cq->failed) return false;

    // The record is read only when the ring seems full by what is known of it.
    const auto index = static_cast<std::uint32_t>(cq->index);
    if (index - cq->consumed >= cq->size) {
        vrnic_cq_dbrec record;
        if (!read_record(*cq, record)) return false;
        if (index - cq->consumed >= cq->size) {
            ++counters_.cq_overflows;
            fail(*cq, VRNIC_SYND_NONE, "overflow");
            return false;
        }
    }

    completion.timestamp = host_.now();
    const std::uint64_t at = cq->ring_offset + (cq->index & (cq->size - 1)) * sizeof(vrnic_cqe);
    const auto body = std::as_bytes(std::span(&completion, 1)).first(offsetof(vrnic_cqe, seq));
    if (!cq->memory.write(host_, at, body) ||
        !cq->memory.store64(host_, at + offsetof(vrnic_cqe, seq), cq->index + 1)) {
        ++counters_.dma_errors;
        fail(*cq, VRNIC_SYND_DMA_FAILED, "its memory could not be written");
        return false;
    }
    ++cq->index;
    ++counters_.completions;
    if (streams_.any()) [[unlikely]]
        streams_.of_completion(cqn, completion.qpn, completion.status);

    const bool error = completion.status != VRNIC_WC_SUCCESS;
    const bool solicited = error || (completion.flags & VRNIC_CQE_SOLICITED) != 0;
    if (error) ++counters_.completion_errors;
    if (solicited) {
        cq->solicited_index = cq->index;
        ++cq->untold_solicited;
    }
    if (cq->armed && (solicited || !cq->armed_solicited_only))
        wait_for_event(*cq, std::uint64_t{cq->waiting} + 1);
    return true;
}

void CqTable::arm(CompletionQueue& cq) {
    vrnic_cq_dbrec record;
    if (cq.failed || !read_record(cq, record)) return;

    const std::uint32_t sequence = record.arm & VRNIC_CQ_ARM_SEQ_MASK;
    if (sequence == cq.arm_sequence) return;  // a doorbell that came late or twice
    cq.arm_sequence = sequence;
    // IBTA 11.4.2.2: a request for any completion is not narrowed by a later one for solicited
    // ones.
    const bool solicited_only = (record.arm & VRNIC_CQ_ARM_SOLICITED) != 0;
    cq.armed_solicited_only = solicited_only && (!cq.armed || cq.armed_solicited_only);

    // What the last event told of is no news (IBTA 11.4.2.2: the next completion that is added):
    // who arms between the event and the polling, as many do, would be woken once too often. What
    // came since is, so that nothing is missed between two armings.
    const std::uint64_t begin = std::max(consumed_index(cq), cq.told_index);
    const std::uint64_t end = cq.armed_solicited_only ? cq.solicited_index : cq.index;
    std::uint64_t pending = end > begin ? end - begin : 0;
    if (cq.armed_solicited_only) pending = std::min<std::uint64_t>(pending, cq.untold_solicited);
    disarm(cq);  // what waited was counted by what it was armed for before
    cq.armed = true;
    wait_for_event(cq, pending);
}

// The event comes with the last of so many completions, or when the time since the first is over.
void CqTable::wait_for_event(CompletionQueue& cq, std::uint64_t waiting) {
    if (waiting >= cq.event_count) {
        disarm(cq);
        notify(cq);
        return;
    }
    cq.waiting = static_cast<std::uint32_t>(waiting);
    if (waiting != 0 && !timers_->running(cq.cqn))
        timers_->set(cq.cqn, host_.now() + cq.event_period);
}

void CqTable::disarm(CompletionQueue& cq) {
    cq.armed = false;
    cq.waiting = 0;
    if (timers_) timers_->cancel(cq.cqn);
}

Nanoseconds CqTable::next_deadline() const {
    return timers_ ? timers_->next() : kNever;
}

void CqTable::on_deadline(Nanoseconds now) {
    if (!timers_) return;
    while (const auto due = timers_->pop_due(now)) {
        // It runs only while completions wait.
        CompletionQueue& cq = *queues_.find(due->index);
        disarm(cq);
        notify(cq);
    }
}

AdminResult<void> CqTable::raise_event(std::uint32_t cqn) {
    CompletionQueue* cq = find(cqn);
    if (!cq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_call_object, number));
    notify(*cq);
    return {};
}

// A queue has one event at most that the driver has not taken; the next one waits for that. So
// nobody who arms again and again can fill an event queue that others share, and no event is ever
// lost.
void CqTable::notify(CompletionQueue& cq) {
    cq.told_index = cq.index;
    cq.untold_solicited = 0;
    if (cq.event_owed) return;
    EventQueue& eq = *events_.find(cq.eqn);
    if (may_notify(cq, eq)) {
        cq.event_sent = true;
        cq.event_index = events_.completion(cq.eqn, cq.cqn);
        if (streams_.any()) [[unlikely]]
            streams_.of_cq(cq.cqn, {.what = VRNIC_STREAM_EVENT});
        return;
    }
    cq.event_owed = true;
    cq.next_owed = eq.owed;
    eq.owed = cq.cqn;
}

bool CqTable::may_notify(const CompletionQueue& cq, const EventQueue& eq) const {
    return events_.has_room(eq) && (!cq.event_sent || events_.is_consumed(eq, cq.event_index));
}

void CqTable::events_consumed(std::uint32_t eqn) {
    EventQueue* eq = events_.find(eqn);
    if (!eq) return;
    // Those that still may not are put back into the list.
    std::uint32_t next = std::exchange(eq->owed, EventQueue::kNone);
    while (next != EventQueue::kNone) {
        CompletionQueue& cq = *queues_.find(next);
        next = std::exchange(cq.next_owed, EventQueue::kNone);
        cq.event_owed = false;
        if (may_notify(cq, *eq)) {
            cq.event_sent = true;
            cq.event_index = events_.completion(eqn, cq.cqn);
        } else {
            cq.event_owed = true;
            cq.next_owed = eq->owed;
            eq->owed = cq.cqn;
        }
    }
}

void CqTable::forget_owed(CompletionQueue& cq) {
    if (!cq.event_owed) return;
    std::uint32_t* link = &events_.find(cq.eqn)->owed;
    while (*link != cq.cqn) link = &queues_.find(*link)->next_owed;
    *link = cq.next_owed;
}

std::uint32_t CqTable::cqs_of_uar(std::uint32_t uar) const {
    std::uint32_t count = 0;
    queues_.for_each([&](const CompletionQueue& cq) { count += cq.live && cq.uar == uar; });
    return count;
}

// Fails the queue when the record cannot be read or its index is impossible.
bool CqTable::read_record(CompletionQueue& cq, vrnic_cq_dbrec& record) {
    if (!cq.memory.read(host_, cq.dbrec_offset, std::as_writable_bytes(std::span(&record, 1)))) {
        ++counters_.dma_errors;
        fail(cq, VRNIC_SYND_DMA_FAILED, "its doorbell record could not be read");
        return false;
    }
    // It never goes back, and never past what was written.
    const auto index = static_cast<std::uint32_t>(cq.index);
    if (index - record.ci > index - cq.consumed) {
        fail(cq, VRNIC_SYND_RING_INDEX, "the consumer index in its doorbell record is impossible");
        return false;
    }
    cq.consumed = record.ci;
    return true;
}

void CqTable::fail(CompletionQueue& cq, std::uint32_t syndrome, std::string_view reason) {
    cq.failed = true;
    disarm(cq);
    guest_error(host_, "CQ {}: {} at completion {}; it takes no more", cq.cqn, reason, cq.index);
    events_.raise(VRNIC_EVENT_CQ_ERROR, cq.cqn, syndrome);
}

}  // namespace vrnic
