// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>

#include "queue_memory.h"
#include "ring.h"

namespace vrnic {

// The one ring of a CQ or an SRQ and its doorbell record behind it, on a cache line of its own. The
// layout is that of creating and of resizing.
struct RingMemory {
    QueueMemory memory;
    uint8_t log_size;
    uint8_t log_stride;
    size_t dbrec_offset;

    // An errno value on failure; `domain` as in QueueMemory::create.
    static std::expected<RingMemory, int> create(uint32_t entries, uint8_t log_stride,
                                                 QueueKind kind, Pd* domain) {
        const uint8_t log_size = log2_ceil(entries);
        const size_t dbrec_offset = align_up(size_t{1} << (log_size + log_stride), kCacheLine);
        auto memory = QueueMemory::create(dbrec_offset + kCacheLine, kind, domain);
        if (!memory) return std::unexpected(memory.error());
        return RingMemory{std::move(*memory), log_size, log_stride, dbrec_offset};
    }

    Ring ring() const { return {memory.at(0), log_size, log_stride}; }
    // Record: vrnic_cq_dbrec or vrnic_srq_dbrec.
    template <typename Record>
    Record* dbrec() const {
        return reinterpret_cast<Record*>(memory.at(dbrec_offset));
    }
    // Request: what the kernel is asked for, to create or to resize.
    template <typename Request>
    Request request() const {
        Request req{};
        req.buf_va = reinterpret_cast<uintptr_t>(memory.at(0));
        req.buf_len = memory.size();
        req.dbrec_offset = static_cast<uint32_t>(dbrec_offset);
        req.log_size = log_size;
        return req;
    }
};

}  // namespace vrnic
