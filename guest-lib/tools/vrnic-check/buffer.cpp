// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "buffer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
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

Result<Buffer> Buffer::create_dmabuf(ibv_pd* pd, size_t size, int access) {
    const auto failed = [](const char* what) {
        return verbs_error(fmt::format("{}: {}", what, std::strerror(errno)));
    };
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    Buffer buffer;
    buffer.mapped_ = (size + kOddStart + page - 1) / page * page;
    buffer.size_ = size;
    const Descriptor memory(memfd_create("vrnic-check", MFD_ALLOW_SEALING));
    if (!memory.valid() || ftruncate(memory.get(), static_cast<off_t>(buffer.mapped_)) ||
        fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK))
        return failed("memory for a dma-buf");
    void* mapped =
        mmap(nullptr, buffer.mapped_, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    if (mapped == MAP_FAILED) return failed("mapping a dma-buf");
    buffer.base_ = static_cast<std::byte*>(mapped);

    const Descriptor exporter(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
    if (!exporter.valid()) return failed("/dev/udmabuf");
    udmabuf_create what{};
    what.memfd = static_cast<uint32_t>(memory.get());
    what.flags = UDMABUF_FLAGS_CLOEXEC;
    what.size = buffer.mapped_;
    buffer.exported_ = Descriptor(ioctl(exporter.get(), UDMABUF_CREATE, &what));
    if (!buffer.exported_.valid()) return failed("making a dma-buf");
    buffer.mr_.reset(ibv_reg_dmabuf_mr(pd, kOddStart, size,
                                       reinterpret_cast<uintptr_t>(buffer.bytes().data()),
                                       buffer.exported_.get(), access));
    if (!buffer.mr_) return failed("ibv_reg_dmabuf_mr");
    return buffer;
}

Result<void> Buffer::move_away() {
    const Descriptor mover(open(kMover, O_WRONLY | O_CLOEXEC));
    const std::string number = std::to_string(exported_.get());
    if (!mover.valid() || write(mover.get(), number.data(), number.size()) < 0)
        return verbs_error(fmt::format("{}: {}", kMover, std::strerror(errno)));
    return {};
}

Buffer::Buffer(Buffer&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      mapped_(other.mapped_),
      size_(other.size_),
      exported_(std::move(other.exported_)),
      mr_(std::move(other.mr_)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(mapped_, other.mapped_);
    std::swap(size_, other.size_);
    std::swap(exported_, other.exported_);
    std::swap(mr_, other.mr_);
    return *this;
}

Buffer::~Buffer() {
    mr_.reset();
    if (base_) munmap(base_, mapped_);
}

}  // namespace vrnic::check
