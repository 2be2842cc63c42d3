// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "command.h"

#include <rdma/rdma_user_ioctl.h>
#include <sys/ioctl.h>

#include <cassert>
#include <cerrno>
#include <cstring>

#include "vrnic-abi.h"

namespace vrnic::dv {

ib_uverbs_attr& Command::add(std::uint16_t attr) {
    assert(count_ < attrs_.size());
    ib_uverbs_attr& added = attrs_[count_++];
    added.attr_id = attr;
    added.flags = UVERBS_ATTR_F_MANDATORY;
    return added;
}

Command& Command::handle(std::uint16_t attr, std::uint32_t handle) {
    add(attr).data = handle;
    return *this;
}

std::uint32_t Command::handle_of(std::uint16_t attr) const {
    for (const ib_uverbs_attr& one : attrs_)
        if (one.attr_id == attr) return static_cast<std::uint32_t>(one.data);
    return 0;
}

// Up to 8 bytes are in the attribute itself.
Command& Command::in(std::uint16_t attr, const void* from, std::size_t size) {
    ib_uverbs_attr& added = add(attr);
    added.len = static_cast<std::uint16_t>(size);
    std::uint64_t data = reinterpret_cast<std::uintptr_t>(from);
    if (size <= sizeof(data)) {
        data = 0;
        std::memcpy(&data, from, size);
    }
    added.data = data;
    return *this;
}

Command& Command::out(std::uint16_t attr, void* to, std::size_t size) {
    ib_uverbs_attr& added = add(attr);
    added.len = static_cast<std::uint16_t>(size);
    added.data = reinterpret_cast<std::uintptr_t>(to);
    return *this;
}

Command& Command::optional() {
    attrs_[count_ - 1].flags = 0;
    return *this;
}

// The kernel wants the attributes behind the header, and writes there what handles are made.
int Command::run(const ibv_context* context) {
    ib_uverbs_ioctl_hdr header{};
    header.length = static_cast<std::uint16_t>(sizeof(header) + count_ * sizeof(ib_uverbs_attr));
    header.object_id = object_;
    header.method_id = method_;
    header.num_attrs = count_;
    header.driver_id = VRNIC_UVERBS_DRIVER_ID;
    alignas(std::uint64_t) std::byte message[sizeof(header) + sizeof(attrs_)];
    std::memcpy(message, &header, sizeof(header));
    std::memcpy(message + sizeof(header), attrs_.data(), sizeof(attrs_));
    const int err = ioctl(context->cmd_fd, RDMA_VERBS_IOCTL, message) ? errno : 0;
    std::memcpy(attrs_.data(), message + sizeof(header), sizeof(attrs_));
    return err;
}

int Command::open(std::uint16_t attr, const ibv_context* context) {
    errno = run(context);
    return errno == 0 ? static_cast<int>(handle_of(attr)) : -1;
}

}  // namespace vrnic::dv
