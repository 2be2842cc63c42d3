// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "methods.h"

#include <rdma/rdma_user_ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vrnic::dvcheck {

Result<std::vector<Method>> all_methods(ibv_context* context) {
    uint32_t count = 0;
    if (int err = vrnicdv_query_types(context, nullptr, &count)) return wrong(std::strerror(err));
    std::vector<vrnic_ib_type> types(count);
    if (int err = vrnicdv_query_types(context, types.data(), &count))
        return wrong(std::strerror(err));
    std::vector<Method> methods;
    std::string object;
    for (const vrnic_ib_type& type : types) {
        if (type.kind == VRNIC_TYPE_OBJECT)
            object = type.name;
        else if (type.kind == VRNIC_TYPE_METHOD)
            methods.push_back({object + "." + type.name, type.object, type.method, {}});
        else
            methods.back().attrs.push_back(type);
    }
    return methods;
}

int call(ibv_context* context, const Method& method, const std::vector<ib_uverbs_attr>& attrs) {
    ib_uverbs_ioctl_hdr header{};
    header.length = static_cast<uint16_t>(sizeof(header) + attrs.size() * sizeof(ib_uverbs_attr));
    header.object_id = method.object;
    header.method_id = method.method;
    header.num_attrs = static_cast<uint16_t>(attrs.size());
    header.driver_id = VRNIC_UVERBS_DRIVER_ID;
    std::vector<uint64_t> message(header.length / sizeof(uint64_t));
    char* const bytes = reinterpret_cast<char*>(message.data());
    std::memcpy(bytes, &header, sizeof(header));
    if (!attrs.empty())
        std::memcpy(bytes + sizeof(header), attrs.data(), attrs.size() * sizeof(ib_uverbs_attr));
    if (ioctl(context->cmd_fd, RDMA_VERBS_IOCTL, message.data()) != 0) return errno;
    for (std::size_t i = 0; i < attrs.size(); ++i) {
        const auto type = std::ranges::find(method.attrs, attrs[i].attr_id, &vrnic_ib_type::attr);
        if (type == method.attrs.end() || type->kind != VRNIC_TYPE_FD_NEW) continue;
        ib_uverbs_attr made;
        std::memcpy(&made, bytes + sizeof(header) + i * sizeof(made), sizeof(made));
        close(static_cast<int>(made.data));
    }
    return 0;
}

}  // namespace vrnic::dvcheck
