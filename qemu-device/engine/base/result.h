// SPDX-License-Identifier: GPL-2.0-or-later
// How an admin command fails: a status of uapi/vrnic_admin.h and its detail.
#pragma once

#include <cstdint>
#include <expected>

#include "vrnic_admin.h"

namespace vrnic {

struct [[nodiscard]] AdminError {
    std::uint16_t status;      // VRNIC_STATUS_*, not OK
    std::uint32_t detail = 0;  // see the status
};

template <typename T>
using AdminResult = std::expected<T, AdminError>;

inline std::unexpected<AdminError> admin_error(std::uint16_t status, std::uint32_t detail = 0) {
    return std::unexpected(AdminError{status, detail});
}

// The detail of INVALID and NO_OBJECT is the field's offset in the 128-byte command.
#define VRNIC_FIELD(type, field) \
    static_cast<std::uint32_t>(offsetof(vrnic_admin_cmd, payload) + offsetof(type, field))

}  // namespace vrnic
