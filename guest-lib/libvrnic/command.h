// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// One call of the ioctl of uverbs, put together attribute by attribute.
#pragma once

#include <infiniband/verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include <array>
#include <cstddef>
#include <cstdint>

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
    // The last one may be passed over by a driver that does not know it.
    Command& optional();

    int run(const ibv_context* context);  // 0 or an errno value

  private:
    static constexpr std::uint32_t kMaxAttrs = 8;

    Command& in(std::uint16_t attr, const void* from, std::size_t size);
    ib_uverbs_attr& add(std::uint16_t attr);

    std::uint16_t object_, method_;
    std::uint16_t count_ = 0;
    std::array<ib_uverbs_attr, kMaxAttrs> attrs_{};
};

}  // namespace vrnic::dv
