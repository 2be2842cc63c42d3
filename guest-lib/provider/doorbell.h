// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <util/udma_barrier.h>

#include <cstdint>

#include "vrnic_regs.h"
#include "vrnic_types.h"

namespace vrnic {

// The doorbell register of one user context: tells the device which queue to look at. It carries no
// state; the indices are in the queue's doorbell record (vrnic_regs.h).
class Doorbell {
  public:
    Doorbell() = default;
    explicit Doorbell(void* reg) : register_(static_cast<volatile uint64_t*>(reg)) {}

    // `type` VRNIC_DB_TYPE_*, `number` of the queue. What was stored before is seen by the device.
    void ring(uint32_t type, uint32_t number) const {
        const uint64_t value = number | uint64_t{type} << VRNIC_DB_TYPE_SHIFT;
        udma_to_device_barrier();
        *register_ = vrnic_le64::swap(value);
    }

  private:
    volatile uint64_t* register_ = nullptr;
};

// Writes an index of a doorbell record: one store, after all stores to the entries that it covers.
inline void publish_index(vrnic_le32& field, uint32_t index) {
    udma_to_device_barrier();
    __atomic_store_n(&field.raw, vrnic_le32::swap(index), __ATOMIC_RELAXED);
}

}  // namespace vrnic
