// SPDX-License-Identifier: GPL-2.0-or-later
// Protection domains: no more than numbers that regions and queue pairs carry and must share
// (IBTA 10.2.3).
#pragma once

#include <cstdint>

#include "base/id_pool.h"
#include "base/result.h"

namespace vrnic {

class PdTable {
  public:
    explicit PdTable(std::uint32_t max_pds) : pds_(1, max_pds) {}

    AdminResult<std::uint32_t> alloc() {
        if (auto pdn = pds_.take()) return *pdn;
        return admin_error(VRNIC_STATUS_LIMIT);
    }

    // users: regions and queue pairs of the domain (IBTA 11.2.1.5: refused while there are any).
    AdminResult<void> dealloc(std::uint32_t pdn, std::uint32_t users) {
        if (!exists(pdn))
            return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
        if (users != 0) return admin_error(VRNIC_STATUS_BUSY);
        pds_.give_back(pdn);
        return {};
    }

    bool exists(std::uint32_t pdn) const { return pds_.is_live(pdn); }
    void reset() { pds_.reset(); }

  private:
    IdPool pds_;
};

}  // namespace vrnic
