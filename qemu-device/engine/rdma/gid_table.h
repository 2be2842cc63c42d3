// SPDX-License-Identifier: GPL-2.0-or-later
// The port's GIDs (IBTA 4.1.1, annex A17): addresses that queue pairs send from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "roce/headers.h"
#include "vrnic_admin.h"

namespace vrnic {

struct GidEntry {
    roce::Gid gid{};  // all zero: the entry is empty
    roce::MacAddress mac{};
    std::uint16_t vlan = VRNIC_VLAN_NONE;

    bool live() const { return gid != roce::Gid{}; }
};

// ::ffff:a.b.c.d
bool is_ipv4(const roce::Gid& gid);

class GidTable {
  public:
    explicit GidTable(std::uint32_t size) : entries_(size) {}

    AdminResult<void> set(const vrnic_cmd_set_gid& cmd);
    const GidEntry* find(std::uint32_t index) const;  // nullptr: out of range or empty
    bool contains(const roce::Gid& gid) const;        // O(n)
    bool contains(const roce::Gid& gid, std::uint16_t vlan) const;  // vlan 0: untagged; O(n)
    // Of the entries, each once: of the port, and of VLANs and virtual interfaces over it.
    std::span<const roce::MacAddress> macs() const { return macs_; }
    void reset();

  private:
    void collect_macs();

    std::vector<GidEntry> entries_;
    std::vector<roce::MacAddress> macs_;
};

}  // namespace vrnic
