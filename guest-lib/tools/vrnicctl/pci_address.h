// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace vrnic::ctl {

// Of the device that a network interface belongs to, as "0000:00:04.0", by rtnetlink. The error is
// an errno value; ENOENT: it is no PCI device.
std::expected<std::string, int> pci_address(std::uint32_t netdev_index);

}  // namespace vrnic::ctl
