// SPDX-License-Identifier: GPL-2.0-or-later
// The port: carrier, and what the driver last asked for by SET_PORT.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/result.h"
#include "vrnic_admin.h"

namespace vrnic {

using MacAddress = std::array<std::uint8_t, 6>;

inline constexpr std::uint32_t kPortNumber = 1;       // verbs count from 1; there is one
inline constexpr std::uint32_t kEthernetHeader = 14;  // bytes: two addresses and the type
inline constexpr std::uint32_t kVlanTag = 4;          // bytes
inline constexpr std::uint32_t kMinFrame = 60;        // bytes without FCS (IEEE 802.3 3.2.8)
inline constexpr std::uint32_t kMinMtu = 68;          // RFC 791
inline constexpr std::uint32_t kMaxMtu = 9000;
inline constexpr std::uint32_t kMaxFrame = kMaxMtu + kEthernetHeader + kVlanTag;

inline bool is_multicast(const std::uint8_t* mac) {
    return (mac[0] & 1) != 0;
}

class Port {
  public:
    Port(const MacAddress& permanent_mac, bool link_up)
        : permanent_mac_(permanent_mac), link_up_(link_up) {
        reset();
    }

    AdminResult<void> set(const vrnic_cmd_set_port& cmd) {
        if ((cmd.flags & ~(VRNIC_PORT_UP | VRNIC_PORT_PROMISC | VRNIC_PORT_ALLMULTI)) != 0)
            return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_set_port, flags));
        if (cmd.mtu < kMinMtu || cmd.mtu > kMaxMtu)
            return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_set_port, mtu));
        if (is_multicast(cmd.mac) || std::ranges::all_of(cmd.mac, [](auto o) { return o == 0; }))
            return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_set_port, mac));
        flags_ = cmd.flags;
        mtu_ = cmd.mtu;
        std::ranges::copy(cmd.mac, mac_.begin());
        multicast_hash_ = cmd.multicast_hash;
        return {};
    }

    // As before the driver came; the carrier is the wire's and stays.
    void reset() {
        flags_ = 0;
        mtu_ = kMaxMtu;
        mac_ = permanent_mac_;
        multicast_hash_ = 0;
    }

    void set_link(bool up) { link_up_ = up; }

    bool link_up() const { return link_up_; }
    bool admin_up() const { return (flags_ & VRNIC_PORT_UP) != 0; }
    bool promiscuous() const { return (flags_ & VRNIC_PORT_PROMISC) != 0; }
    bool all_multicast() const { return (flags_ & VRNIC_PORT_ALLMULTI) != 0; }
    std::uint64_t multicast_hash() const { return multicast_hash_; }
    std::uint32_t mtu() const { return mtu_; }  // bytes of Ethernet payload
    std::uint32_t max_received_frame() const { return mtu_ + kEthernetHeader + kVlanTag; }
    const MacAddress& mac() const { return mac_; }
    const MacAddress& permanent_mac() const { return permanent_mac_; }

  private:
    MacAddress permanent_mac_;
    bool link_up_;
    std::uint32_t flags_;
    std::uint32_t mtu_;
    MacAddress mac_;
    std::uint64_t multicast_hash_;
};

}  // namespace vrnic
