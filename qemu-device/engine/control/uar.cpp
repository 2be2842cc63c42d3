// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/uar.h"

#include "vrnic_regs.h"

namespace vrnic {

std::expected<Doorbell, const char*> UarTable::decode(std::uint64_t offset, std::uint64_t value,
                                                      unsigned size) const {
    constexpr std::uint64_t kTypeMask = 0xf;
    const std::uint64_t slot = offset >> stride_log_;
    if (size != 8) return std::unexpected("not a store of 8 bytes");
    if (offset != slot << stride_log_) return std::unexpected("not at the beginning of a slot");
    if (slot >= slots_ || !exists(static_cast<std::uint32_t>(slot)))
        return std::unexpected("the slot was not allocated");
    if (value >> VRNIC_DB_TYPE_SHIFT > kTypeMask) return std::unexpected("reserved bits are set");
    return Doorbell{static_cast<std::uint32_t>(slot),
                    static_cast<std::uint32_t>(value >> VRNIC_DB_TYPE_SHIFT & kTypeMask),
                    static_cast<std::uint32_t>(value & VRNIC_DB_NUMBER_MASK)};
}

}  // namespace vrnic
