// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "queue_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "ring.h"
#include "verbs_glue.h"

namespace vrnic {

std::expected<QueueMemory, int> QueueMemory::create(size_t size) {
    size = align_up(size, static_cast<size_t>(sysconf(_SC_PAGESIZE)));
    void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return std::unexpected(errno);
    if (int err = glue_dontfork(base, size)) {
        munmap(base, size);
        return std::unexpected(err);
    }
    return QueueMemory(static_cast<std::byte*>(base), size);
}

QueueMemory::~QueueMemory() {
    if (base_ == nullptr) return;
    glue_dofork(base_, size_);
    munmap(base_, size_);
}

}  // namespace vrnic
