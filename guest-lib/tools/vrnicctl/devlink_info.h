// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <expected>
#include <map>
#include <string>

namespace vrnic::ctl {

// What `devlink dev info pci/ADDRESS` shows as fixed: names and values. The error is an errno
// value; ENODEV: no driver has told devlink of the device, ENOENT: the kernel has no devlink.
std::expected<std::map<std::string, std::string>, int> devlink_info(const std::string& pci_address);

}  // namespace vrnic::ctl
