// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/gid_table.h"

#include <algorithm>

namespace vrnic {

bool is_ipv4(const roce::Gid& gid) {
    return std::all_of(gid.begin(), gid.begin() + 10, [](std::uint8_t o) { return o == 0; }) &&
           gid[10] == 0xff && gid[11] == 0xff;
}

AdminResult<void> GidTable::set(const vrnic_cmd_set_gid& cmd) {
    if (cmd.index >= entries_.size())
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_set_gid, index));
    if (cmd.vlan != VRNIC_VLAN_NONE && cmd.vlan > 4094)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_set_gid, vlan));
    GidEntry entry;
    entry.vlan = cmd.vlan;
    std::copy(std::begin(cmd.gid), std::end(cmd.gid), entry.gid.begin());
    std::copy(std::begin(cmd.smac), std::end(cmd.smac), entry.mac.begin());
    if (entry.live() && (entry.mac[0] & 1) != 0)  // a source is never a group
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_set_gid, smac));
    entries_[cmd.index] = entry.live() ? entry : GidEntry{};
    collect_macs();
    return {};
}

void GidTable::collect_macs() {
    macs_.clear();
    for (const GidEntry& entry : entries_)
        if (entry.live() && std::ranges::find(macs_, entry.mac) == macs_.end())
            macs_.push_back(entry.mac);
}

const GidEntry* GidTable::find(std::uint32_t index) const {
    if (index >= entries_.size() || !entries_[index].live()) return nullptr;
    return &entries_[index];
}

bool GidTable::contains(const roce::Gid& gid) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const GidEntry& entry) { return entry.live() && entry.gid == gid; });
}

bool GidTable::contains(const roce::Gid& gid, std::uint16_t vlan) const {
    const std::uint16_t tag = vlan == 0 ? std::uint16_t{VRNIC_VLAN_NONE} : vlan;
    return std::any_of(entries_.begin(), entries_.end(), [&](const GidEntry& entry) {
        return entry.live() && entry.gid == gid && entry.vlan == tag;
    });
}

void GidTable::reset() {
    std::fill(entries_.begin(), entries_.end(), GidEntry{});
    macs_.clear();
}

}  // namespace vrnic
