// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "buffer.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vrnic::check {

Result<Buffer> Buffer::create(ibv_pd* pd, size_t size, int access) {
    Buffer buffer;
    buffer.mapped_ = size + kOddStart;
    void* memory =
        mmap(nullptr, buffer.mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return verbs_error(fmt::format("no memory for {} bytes: {}", size, std::strerror(errno)));
    buffer.base_ = static_cast<std::byte*>(memory);
    buffer.size_ = size;
    buffer.mr_.reset(ibv_reg_mr(pd, buffer.bytes().data(), size, access));
    if (!buffer.mr_)
        return verbs_error(fmt::format("ibv_reg_mr of {} bytes: {}", size, std::strerror(errno)));
    return buffer;
}

Buffer::Buffer(Buffer&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      mapped_(other.mapped_),
      size_(other.size_),
      mr_(std::move(other.mr_)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(mapped_, other.mapped_);
    std::swap(size_, other.size_);
    std::swap(mr_, other.mr_);
    return *this;
}

Buffer::~Buffer() {
    mr_.reset();
    if (base_) munmap(base_, mapped_);
}

}  // namespace vrnic::check
