// SPDX-License-Identifier: GPL-2.0-or-later
// A ring of work queue entries in the guest's memory, and its producer index in a doorbell record.
#pragma once

#include <cstdint>
#include <expected>

#include "base/counters.h"
#include "base/result.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "rdma/syndrome.h"

namespace vrnic {

struct WorkRing {
    std::uint32_t offset = 0;    // in the memory of the queue
    std::uint32_t size = 0;      // entries, a power of two; 0: no such queue
    std::uint32_t stride = 0;    // bytes of an entry
    std::uint32_t next = 0;      // entry to take next, free running
    std::uint32_t producer = 0;  // as last read from the doorbell record
    bool doorbell = false;       // the record may say more by now
    bool told_busy = false;      // the guest was told that no doorbell is needed

    std::uint64_t end() const { return offset + std::uint64_t{size} * stride; }
    // Of the next entry, in the memory of the queue.
    std::uint64_t place() const { return offset + std::uint64_t{next & (size - 1)} * stride; }
    void restart() {
        next = producer = 0;
        doorbell = told_busy = false;
    }
};

// What a command says of a ring, and which of its fields says it (for the error's detail).
struct RingFields {
    std::uint8_t log_size, log_stride;
    std::uint32_t offset;
    std::uint32_t size_field, stride_field, offset_field;
};
struct RingLimits {
    std::uint32_t max_entries;
    unsigned min_log_stride, max_log_stride;
};
// log_size VRNIC_NO_QUEUE: a ring without entries.
AdminResult<WorkRing> make_ring(const RingFields& fields, const RingLimits& limits);

// The queue itself is broken (VRNIC_SYND_DMA_FAILED, VRNIC_SYND_RING_INDEX), or its state is fine
// and there is, or is not, an entry to take.
using Available = std::expected<bool, Syndrome>;

// Reads the producer index, at record in memory.
Available read_producer(Host& host, Counters& counters, const PagedMemory& memory,
                        std::uint64_t record, WorkRing& ring);

}  // namespace vrnic
