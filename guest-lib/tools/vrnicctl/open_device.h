// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// RDMA devices of vrnic, open.
#pragma once

#include <infiniband/verbs.h>

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "netlink.h"
#include "vrnic-abi.h"

namespace vrnic::ctl {

using ContextPtr = std::unique_ptr<ibv_context, Free<ibv_close_device>>;

struct OpenDevice {
    std::string name;
    ContextPtr context;
    vrnic_ib_alloc_ucontext_resp answer;  // to vrnic_query
};

// At least one: devices of vrnic, or only the one of this name (empty: all). Those of other drivers
// are left out unless they are asked for. On failure a line for a person.
std::expected<std::vector<OpenDevice>, std::string> open_devices(const std::string& device);
// The first of them.
std::expected<ContextPtr, std::string> open_device(const std::string& device);

// Why the driver did not answer a question: a line for a person.
std::string why_not_told(int err);

}  // namespace vrnic::ctl
