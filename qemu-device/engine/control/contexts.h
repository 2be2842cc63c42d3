// SPDX-License-Identifier: GPL-2.0-or-later
// Any object of the device as it is, by its number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/result.h"
#include "control/device.h"
#include "vrnic_contexts.h"

namespace vrnic {

// One of the structures of uapi/vrnic_contexts.h.
class ObjectContext {
  public:
    template <typename Context>
    explicit ObjectContext(const Context& context) : size_(sizeof(context)) {
        static_assert(sizeof(context) <= VRNIC_CONTEXT_MAX_SIZE);
        std::memcpy(bytes_.data(), &context, sizeof(context));
    }
    std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_); }

  private:
    std::array<std::byte, VRNIC_CONTEXT_MAX_SIZE> bytes_{};
    std::size_t size_;
};

// type: VRNIC_CONTEXT_*.
AdminResult<ObjectContext> object_context(const Device& device, std::uint32_t type,
                                          std::uint32_t number);

}  // namespace vrnic
