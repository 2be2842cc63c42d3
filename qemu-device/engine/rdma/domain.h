// SPDX-License-Identifier: GPL-2.0-or-later
// Protection domains (IBTA 10.2.3) and XRC domains (A14.2.2): no more than numbers that objects
// carry and must share.
#pragma once

#include <cstdint>

#include "base/id_pool.h"
#include "base/result.h"

namespace vrnic {

class DomainTable {
  public:
    explicit DomainTable(std::uint32_t max) : numbers_(1, max) {}

    AdminResult<std::uint32_t> alloc() {
        if (auto number = numbers_.take()) return *number;
        return admin_error(VRNIC_STATUS_LIMIT);
    }

    // users: objects of the domain (IBTA 11.2.1.5: refused while there are any).
    AdminResult<void> dealloc(std::uint32_t number, std::uint32_t users) {
        if (!exists(number))
            return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
        if (users != 0) return admin_error(VRNIC_STATUS_BUSY);
        numbers_.give_back(number);
        return {};
    }

    bool exists(std::uint32_t number) const { return numbers_.is_live(number); }
    void reset() { numbers_.reset(); }

  private:
    IdPool numbers_;
};

}  // namespace vrnic
