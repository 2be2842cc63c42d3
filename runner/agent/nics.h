// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/protocol.h"
#include "agent/system.h"

// The guest's network and RDMA devices. No name is assumed: interfaces are found by their MAC
// address, RDMA devices by the interface they belong to.
namespace vrnic::agent {

// Loads what the configured NICs need: our modules from /vrnic, rdma_rxe from the distribution.
[[nodiscard]] Result<void> load_modules(const protocol::VmConfig& config);

// Waits for the interfaces and gives them MTU and addresses; waits for their RDMA devices and
// for these to have the addresses as GIDs. May be done again after a NIC was plugged.
[[nodiscard]] Result<void> configure_nics(const protocol::VmConfig& config);

// What a step gets in its environment. Names are empty when there is no such device (any more).
struct NicNames {
    std::string netdev;       // $NETDEV
    std::string rdma_device;  // $DEV
    std::string gid_ipv4;     // $GID: index of the RoCEv2 GID of the interface's IPv4 address
    std::string gid_ipv6;     // $GID6: the same of its fd77:: address
};
[[nodiscard]] NicNames find_nic(const protocol::VmConfig& config, std::size_t link);

}  // namespace vrnic::agent
