// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// The methods that the kernel says there are, and calls of them, attribute by attribute.
#pragma once

#include <rdma/rdma_user_ioctl_cmds.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench.h"

namespace vrnic::dvcheck {

struct Method {
    std::string name;  // "QP.QUERY"
    uint16_t object, method;
    std::vector<vrnic_ib_type> attrs;
};

Result<std::vector<Method>> all_methods(ibv_context* context);

inline bool is_handle(const vrnic_ib_type& attr) {
    return attr.kind >= VRNIC_TYPE_NEW && attr.kind <= VRNIC_TYPE_DESTROY;
}
inline bool is_descriptor(const vrnic_ib_type& attr) {
    return attr.kind == VRNIC_TYPE_FD_NEW || attr.kind == VRNIC_TYPE_FD;
}
inline bool has_memory(const vrnic_ib_type& attr) {
    return !is_handle(attr) && !is_descriptor(attr);
}
// Something that has to exist.
inline bool is_object(const vrnic_ib_type& attr) {
    return !has_memory(attr) && attr.kind != VRNIC_TYPE_NEW && attr.kind != VRNIC_TYPE_FD_NEW;
}

// 0 or errno. What it makes is closed again, if it is a descriptor.
int call(ibv_context* context, const Method& method, const std::vector<ib_uverbs_attr>& attrs);

}  // namespace vrnic::dvcheck
