// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/events.h"

#include "host/log.h"

namespace vrnic {
namespace {

constexpr std::uint32_t kIndexMask = VRNIC_EQ_DB_ARM - 1;  // consumer indices have 31 bits
constexpr std::uint8_t kMinLogSize = 1;

std::uint32_t in_ring(const EventQueue& eq) {
    return (static_cast<std::uint32_t>(eq.index) - eq.consumed) & kIndexMask;
}

}  // namespace

EventQueues::EventQueues(Host& host, Counters& counters, Faults& faults, std::uint32_t vectors)
    : host_(host), counters_(counters), faults_(faults), vectors_(vectors) {}

AdminResult<void> EventQueues::create(const vrnic_cmd_create_eq& cmd) {
    if (cmd.eqn >= queues_.size())
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_create_eq, eqn));
    EventQueue& eq = queues_[cmd.eqn];
    if (eq.live) return admin_error(VRNIC_STATUS_BUSY, VRNIC_FIELD(vrnic_cmd_create_eq, eqn));
    if (cmd.vector >= vectors_ && cmd.vector != VRNIC_NO_VECTOR)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_create_eq, vector));
    if (cmd.log_size < kMinLogSize || cmd.log_size > kMaxLogSize)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_create_eq, log_size));
    if (cmd.ring.offset % sizeof(vrnic_eqe) != 0)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_create_eq, ring) +
                                                     offsetof(vrnic_page_list, offset));

    const std::uint32_t size = 1u << cmd.log_size;
    auto ring = PagedMemory::create(host_, cmd.ring, std::uint64_t{size} * sizeof(vrnic_eqe),
                                    kMaxPages, VRNIC_FIELD(vrnic_cmd_create_eq, ring));
    if (!ring) return std::unexpected(ring.error());

    eq = EventQueue{};
    eq.live = true;
    eq.vector = cmd.vector;
    eq.size = size;
    eq.ring = std::move(*ring);
    return {};
}

AdminResult<void> EventQueues::destroy(std::uint32_t eqn) {
    EventQueue* eq = find(eqn);
    if (!eq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    if (eq->users != 0) return admin_error(VRNIC_STATUS_BUSY);
    *eq = EventQueue{};
    return {};
}

void EventQueues::reset() {
    for (EventQueue& eq : queues_) eq = EventQueue{};
}

EventQueue* EventQueues::find(std::uint32_t eqn) {
    return eqn < queues_.size() && queues_[eqn].live ? &queues_[eqn] : nullptr;
}

void EventQueues::doorbell(std::uint32_t eqn, std::uint32_t value) {
    EventQueue* eq = find(eqn);
    if (!eq) {
        ++counters_.mmio_errors;
        guest_error(host_, "EQ {}: doorbell, but there is no such queue", eqn);
        return;
    }
    const std::uint32_t consumed = value & kIndexMask;
    if (((static_cast<std::uint32_t>(eq->index) - consumed) & kIndexMask) > in_ring(*eq)) {
        ++counters_.mmio_errors;
        guest_error(host_, "EQ {}: consumer index {} is not between {} and {}", eqn, consumed,
                    eq->consumed, eq->index & kIndexMask);
        return;
    }
    eq->consumed = consumed;
    eq->armed = (value & VRNIC_EQ_DB_ARM) != 0;
    if (in_ring(*eq) != 0) interrupt_if_armed(*eq);
}

void EventQueues::raise(std::uint32_t type, std::uint32_t number, std::uint32_t code) {
    vrnic_eqe event{};
    event.type = type;
    event.number = number;
    event.code = code;
    put(0, event);
}

std::uint64_t EventQueues::completion(std::uint32_t eqn, std::uint32_t cqn) {
    const std::uint64_t index = queues_[eqn].index;
    vrnic_eqe event{};
    event.type = VRNIC_EVENT_COMPLETION;
    event.number = cqn;
    put(eqn, event);
    return index;
}

bool EventQueues::has_room(const EventQueue& eq) const {
    return in_ring(eq) < eq.size;
}

bool EventQueues::is_consumed(const EventQueue& eq, std::uint64_t index) const {
    return index < eq.index - in_ring(eq);
}

void EventQueues::put(std::uint32_t eqn, const vrnic_eqe& event) {
    const std::uint32_t type = event.type, number = event.number;
    EventQueue* eq = find(eqn);
    if (!eq || eq->failed || in_ring(*eq) >= eq->size) {
        ++counters_.eq_overflows;
        guest_error(host_, "EQ {}: event {:#x} of {} is lost: {}", eqn, type, number,
                    !eq          ? "there is no such queue"
                    : eq->failed ? "its memory could not be written"
                                 : "the queue is full");
        return;
    }

    const std::uint64_t at = (eq->index & (eq->size - 1)) * sizeof(vrnic_eqe);
    const auto body = std::as_bytes(std::span(&event, 1)).first(offsetof(vrnic_eqe, seq));
    if (!eq->ring.write(host_, at, body) ||
        !eq->ring.store64(host_, at + offsetof(vrnic_eqe, seq), eq->index + 1)) {
        ++counters_.dma_errors;
        eq->failed = true;
        guest_error(host_, "EQ {}: memory at offset {} could not be written, the queue stops", eqn,
                    at);
        return;
    }
    ++eq->index;
    interrupt_if_armed(*eq);
}

void EventQueues::interrupt_if_armed(EventQueue& eq) {
    if (!eq.armed) return;
    eq.armed = false;
    if (eq.vector != VRNIC_NO_VECTOR) interrupt(eq.vector);
}

void EventQueues::interrupt(std::uint32_t vector) {
    if (faults_.armed(FaultPoint::interrupt)) [[unlikely]]
        if (faults_.interrupt(vector)) return;
    ++counters_.interrupts;
    host_.raise_interrupt(vector);
}

}  // namespace vrnic
