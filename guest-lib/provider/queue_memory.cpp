// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "queue_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "ring.h"
#include "verbs_glue.h"

namespace vrnic {

std::expected<QueueMemory, int> QueueMemory::create(size_t size, QueueKind kind, Pd* domain) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    QueueMemory memory;
    memory.size_ = align_up(size, page);
    memory.kind_ = kind;
    void* base = IBV_ALLOCATOR_USE_DEFAULT;
    if (domain && domain->alloc)
        base = domain->alloc(&domain->verbs, domain->allocator_context, memory.size_, page,
                             static_cast<uint64_t>(kind));
    if (base == nullptr) return std::unexpected(ENOMEM);
    if (base != IBV_ALLOCATOR_USE_DEFAULT) {
        memory.owner_ = domain;
        memory.base_ = static_cast<std::byte*>(base);
        if (reinterpret_cast<uintptr_t>(base) % page != 0) {
            memory.give_back();
            memory.base_ = nullptr;
            return std::unexpected(EINVAL);
        }
        std::memset(base, 0, memory.size_);
    } else {
        base =
            mmap(nullptr, memory.size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED) return std::unexpected(errno);
        memory.base_ = static_cast<std::byte*>(base);
    }
    if (int err = glue_dontfork(base, memory.size_)) {
        memory.give_back();
        memory.base_ = nullptr;
        return std::unexpected(err);
    }
    return memory;
}

void QueueMemory::give_back() {
    if (owner_)
        owner_->free(&owner_->verbs, owner_->allocator_context, base_,
                     static_cast<uint64_t>(kind_));
    else
        munmap(base_, size_);
}

QueueMemory::~QueueMemory() {
    if (base_ == nullptr) return;
    glue_dofork(base_, size_);
    give_back();
}

}  // namespace vrnic
