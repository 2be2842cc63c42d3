// SPDX-License-Identifier: GPL-2.0-or-later
// Multicast groups: which UD queue pairs receive what comes for a group (IBTA 10.5).
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "roce/headers.h"

namespace vrnic {

// ff00::/8, or the IPv4 one ::ffff:224.0.0.0/4.
bool is_multicast(const roce::Gid& gid);
// The group's Ethernet address (RFC 1112, RFC 2464).
roce::MacAddress multicast_mac(const roce::Gid& gid);

class MulticastGroups {
  public:
    MulticastGroups(std::uint32_t max_groups, std::uint32_t max_qps_of_one)
        : max_groups_(max_groups), max_qps_(max_qps_of_one) {}

    bool empty() const { return groups_.empty(); }
    AdminResult<void> attach(const roce::Gid& group, std::uint32_t qpn);
    AdminResult<void> detach(const roce::Gid& group, std::uint32_t qpn);
    void forget_qp(std::uint32_t qpn);  // O(n)
    void reset() { groups_.clear(); }

    // Empty: nobody is attached. Holds until the next command.
    std::span<const std::uint32_t> members(const roce::Gid& group) const;

  private:
    struct Hash {
        std::size_t operator()(const roce::Gid& gid) const;
    };
    const std::uint32_t max_groups_;
    const std::uint32_t max_qps_;
    // QPNs in the order in which they were attached; no group is without any.
    std::unordered_map<roce::Gid, std::vector<std::uint32_t>, Hash> groups_;
};

}  // namespace vrnic
