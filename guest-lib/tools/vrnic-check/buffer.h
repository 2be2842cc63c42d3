// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstddef>
#include <span>

#include "descriptor.h"
#include "failure.h"
#include "verbs_objects.h"

namespace vrnic::check {

// Registered memory. It begins at an odd address, so that nothing leans on alignment.
class Buffer {
  public:
    static Result<Buffer> create(ibv_pd* pd, size_t size, int access);
    // The same of memory that the driver udmabuf exports: at most 64 MiB, and root only.
    static Result<Buffer> create_dmabuf(ibv_pd* pd, size_t size, int access);

    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer();

    std::span<std::byte> bytes() const { return {base_ + kOddStart, size_}; }
    ibv_mr* mr() const { return mr_.get(); }
    int deregister() { return destroy(mr_); }  // an errno value
    // Of a dma-buf: has its owner tell that it moves, by the project's test module dmabuf_mover.
    // The region is revoked by that; what is mapped here stays.
    Result<void> move_away();

  private:
    static constexpr size_t kOddStart = 13;
    static constexpr auto kMover = "/dev/dmabuf_mover";

    std::byte* base_ = nullptr;  // mapped
    size_t mapped_ = 0;
    size_t size_ = 0;
    Descriptor exported_;  // the dma-buf
    MrPtr mr_;
};

}  // namespace vrnic::check
