// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// An RDMA device of vrnic, open.
#pragma once

#include <infiniband/verbs.h>

#include <expected>
#include <memory>
#include <string>

#include "netlink.h"

namespace vrnic::ctl {

using ContextPtr = std::unique_ptr<ibv_context, Free<ibv_close_device>>;

// device: its name; empty: the first of vrnic. On failure a line for a person.
std::expected<ContextPtr, std::string> open_device(const std::string& device);

}  // namespace vrnic::ctl
