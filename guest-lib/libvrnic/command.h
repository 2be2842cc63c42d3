// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// One call of the ioctl of uverbs, put together attribute by attribute.
#pragma once

#include <infiniband/verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "vrnic_objects.h"

namespace vrnic::dv {

class Command {
  public:
    Command(std::uint16_t object, std::uint16_t method) : object_(object), method_(method) {}

    Command& handle(std::uint16_t attr, std::uint32_t handle);
    // The handle that the kernel gives to what is made: handle_of, after run.
    Command& new_handle(std::uint16_t attr) { return handle(attr, 0); }
    std::uint32_t handle_of(std::uint16_t attr) const;

    template <typename T>
    Command& in(std::uint16_t attr, const T& value) {
        return in(attr, &value, sizeof(value));
    }
    template <typename T>
    Command& out(std::uint16_t attr, T* value) {
        return out(attr, value, sizeof(*value));
    }
    Command& out(std::uint16_t attr, void* to, std::size_t size);
    // A list: room is at most what a length of 16 bits can say.
    template <typename T>
    Command& out_list(std::uint16_t attr, T* list, std::size_t room) {
        const std::size_t most = UINT16_MAX / sizeof(T);
        return room == 0 ? *this : out(attr, list, (room < most ? room : most) * sizeof(T));
    }
    // The last one may be passed over by a driver that does not know it.
    Command& optional();

    int run(const ibv_context* context);  // 0 or an errno value
    // The descriptor that new_handle(attr) asked for, or -1 with errno.
    int open(std::uint16_t attr, const ibv_context* context);

  private:
    static constexpr std::uint32_t kMaxAttrs = 8;

    Command& in(std::uint16_t attr, const void* from, std::size_t size);
    ib_uverbs_attr& add(std::uint16_t attr);

    std::uint16_t object_, method_;
    std::uint16_t count_ = 0;
    std::array<ib_uverbs_attr, kMaxAttrs> attrs_{};
};

// What CALL of a stream, CAPTURE and COUNTERS is asked to do.
inline std::uint32_t watching(bool on) {
    return on ? VRNIC_STREAM_CALL_WATCH : VRNIC_STREAM_CALL_UNWATCH;
}

}  // namespace vrnic::dv
