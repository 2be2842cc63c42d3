// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/multicast.h"

#include <algorithm>
#include <cstring>

#include "rdma/gid_table.h"
#include "vrnic_admin.h"

namespace vrnic {

bool is_multicast(const roce::Gid& gid) {
    return is_ipv4(gid) ? (gid[12] & 0xf0) == 0xe0 : gid[0] == 0xff;
}

roce::MacAddress multicast_mac(const roce::Gid& gid) {
    if (is_ipv4(gid))
        return {0x01, 0x00, 0x5e, static_cast<std::uint8_t>(gid[13] & 0x7f), gid[14], gid[15]};
    return {0x33, 0x33, gid[12], gid[13], gid[14], gid[15]};
}

std::size_t MulticastGroups::Hash::operator()(const roce::Gid& gid) const {
    std::uint64_t halves[2];
    std::memcpy(halves, gid.data(), sizeof(halves));
    return static_cast<std::size_t>((halves[0] ^ (halves[1] << 1 | halves[1] >> 63)) *
                                    0x9e3779b97f4a7c15u);
}

AdminResult<void> MulticastGroups::attach(const roce::Gid& group, std::uint32_t qpn) {
    const auto found = groups_.find(group);
    if (found == groups_.end()) {
        if (groups_.size() == max_groups_) return admin_error(VRNIC_STATUS_LIMIT);
        groups_.emplace(group, std::vector{qpn});
        return {};
    }
    auto& qpns = found->second;
    if (std::ranges::find(qpns, qpn) != qpns.end()) return admin_error(VRNIC_STATUS_BUSY);
    if (qpns.size() == max_qps_) return admin_error(VRNIC_STATUS_LIMIT);
    qpns.push_back(qpn);
    return {};
}

AdminResult<void> MulticastGroups::detach(const roce::Gid& group, std::uint32_t qpn) {
    const auto found = groups_.find(group);
    if (found == groups_.end() || std::erase(found->second, qpn) == 0)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_mcast, gid));
    if (found->second.empty()) groups_.erase(found);
    return {};
}

void MulticastGroups::forget_qp(std::uint32_t qpn) {
    for (auto group = groups_.begin(); group != groups_.end();) {
        std::erase(group->second, qpn);
        group = group->second.empty() ? groups_.erase(group) : std::next(group);
    }
}

std::span<const std::uint32_t> MulticastGroups::members(const roce::Gid& group) const {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return {};
    return found->second;
}

}  // namespace vrnic
