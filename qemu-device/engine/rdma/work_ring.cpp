// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/work_ring.h"

#include "vrnic_admin.h"

namespace vrnic {

AdminResult<WorkRing> make_ring(const RingFields& fields, const RingLimits& limits) {
    WorkRing ring;
    if (fields.log_size == VRNIC_NO_QUEUE) return ring;
    if (fields.log_size > 31 || 1u << fields.log_size > limits.max_entries)
        return admin_error(VRNIC_STATUS_INVALID, fields.size_field);
    if (fields.log_stride < limits.min_log_stride || fields.log_stride > limits.max_log_stride)
        return admin_error(VRNIC_STATUS_INVALID, fields.stride_field);
    if (fields.offset % 64 != 0) return admin_error(VRNIC_STATUS_INVALID, fields.offset_field);
    ring.offset = fields.offset;
    ring.size = 1u << fields.log_size;
    ring.stride = 1u << fields.log_stride;
    return ring;
}

Available read_producer(Host& host, Counters& counters, const PagedMemory& memory,
                        std::uint64_t record, WorkRing& ring) {
    ring.doorbell = false;
    vrnic_le32 producer;
    if (!memory.read(host, record, std::as_writable_bytes(std::span(&producer, 1)))) {
        ++counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    if (producer - ring.next > ring.size) return std::unexpected<Syndrome>(VRNIC_SYND_RING_INDEX);
    ring.producer = producer;
    return ring.next != ring.producer;
}

}  // namespace vrnic
