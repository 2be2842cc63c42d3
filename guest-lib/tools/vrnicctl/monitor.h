// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace vrnic::ctl {

struct DeviceEvent {
    enum class Kind { came, renamed, went, netdev_came, netdev_went } kind;
    std::string device;
    std::string detail;  // renamed: the new name; netdev: its name
};

// Tells of RDMA devices, of any driver, as they come, change their name and go, until `tell`
// returns false. Kernels from 6.12 on say it by RDMA netlink, all but the names; others, and names,
// by uevents. started is called when nothing can be missed any more. On failure a line for a
// person.
std::expected<void, std::string> monitor(const std::function<void()>& started,
                                         const std::function<bool(const DeviceEvent&)>& tell);

}  // namespace vrnic::ctl
