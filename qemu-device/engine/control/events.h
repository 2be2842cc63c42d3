// SPDX-License-Identifier: GPL-2.0-or-later
// Event queues: number 0 asynchronous, the others completion events, each with a vector.
#pragma once

#include <array>
#include <cstdint>

#include "base/counters.h"
#include "base/result.h"
#include "faults/faults.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "vrnic_admin.h"
#include "vrnic_regs.h"
#include "vrnic_ring.h"

namespace vrnic {

struct EventQueue {
    static constexpr std::uint32_t kNone = ~0u;

    bool live = false;
    bool armed = false;
    bool failed = false;  // its memory could not be reached
    std::uint32_t vector = VRNIC_NO_VECTOR;
    std::uint32_t size = 0;      // entries
    std::uint64_t index = 0;     // of the next event
    std::uint32_t consumed = 0;  // modulo 2^31
    std::uint32_t users = 0;     // completion queues that report here
    std::uint32_t owed = kNone;  // CQN of the first completion queue whose event waits for a place
    PagedMemory ring;
};

class EventQueues {
  public:
    static constexpr std::uint8_t kMaxLogSize = 16;  // entries
    static constexpr std::uint32_t kMaxPages = 2 + (sizeof(vrnic_eqe) << kMaxLogSize >> 12);

    EventQueues(Host& host, Counters& counters, Faults& faults, std::uint32_t vectors);

    AdminResult<void> create(const vrnic_cmd_create_eq& cmd);
    AdminResult<void> destroy(std::uint32_t eqn);
    void reset();

    std::uint32_t vectors() const { return vectors_; }  // MSI-X vectors of the device
    EventQueue* find(std::uint32_t eqn);
    void doorbell(std::uint32_t eqn, std::uint32_t value);  // VRNIC_REG_EQ_DB

    // An asynchronous event (queue 0): VRNIC_EVENT_*. Without queue, or when it is full: counted,
    // logged.
    void raise(std::uint32_t type, std::uint32_t number, std::uint32_t code = 0);
    // A completion event of cqn on queue eqn, where one fits (has_room). Returns its index.
    std::uint64_t completion(std::uint32_t eqn, std::uint32_t cqn);
    // Raises an MSI-X vector: all that the device raises.
    void interrupt(std::uint32_t vector);
    bool has_room(const EventQueue& eq) const;
    // The driver has taken the event of that index.
    bool is_consumed(const EventQueue& eq, std::uint64_t index) const;

  private:
    void put(std::uint32_t eqn, const vrnic_eqe& event);
    void interrupt_if_armed(EventQueue& eq);

    Host& host_;
    Counters& counters_;
    Faults& faults_;
    std::uint32_t vectors_;
    std::array<EventQueue, VRNIC_MAX_EQS> queues_;
};

}  // namespace vrnic
