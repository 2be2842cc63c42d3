// SPDX-License-Identifier: GPL-2.0-or-later
// Doorbell slots: who owns which, and what a store into one means.
#pragma once

#include <cstdint>
#include <expected>

#include "base/id_pool.h"
#include "base/result.h"

namespace vrnic {

// One doorbell, as it was rung.
struct Doorbell {
    std::uint32_t slot;
    std::uint32_t type;    // VRNIC_DB_TYPE_*, perhaps unknown
    std::uint32_t number;  // of the queue
};

class UarTable {
  public:
    UarTable(std::uint32_t slots, std::uint32_t stride_log)
        : slots_(slots), stride_log_(stride_log), user_slots_(1, slots - 1) {}

    AdminResult<std::uint32_t> alloc() {
        if (auto slot = user_slots_.take()) return *slot;
        return admin_error(VRNIC_STATUS_LIMIT);
    }

    // users: queues that are rung through the slot.
    AdminResult<void> free(std::uint32_t slot, std::uint32_t users) {
        if (!user_slots_.is_live(slot))
            return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
        if (users != 0) return admin_error(VRNIC_STATUS_BUSY);
        user_slots_.give_back(slot);
        return {};
    }

    bool exists(std::uint32_t slot) const { return slot == 0 || user_slots_.is_live(slot); }
    void reset() { user_slots_.reset(); }

    std::uint32_t slots() const { return slots_; }
    std::uint32_t stride_log() const { return stride_log_; }

    // A store into BAR2; the error says what is wrong with it.
    std::expected<Doorbell, const char*> decode(std::uint64_t offset, std::uint64_t value,
                                                unsigned size) const;

  private:
    std::uint32_t slots_;
    std::uint32_t stride_log_;
    IdPool user_slots_;  // all but slot 0, the driver's
};

}  // namespace vrnic
