// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "vrnic-abi.h"

namespace vrnic {

// Thread domain (ibv_alloc_td(3)): what belongs to it is used by one thread at a time.
struct Td {
    ibv_td verbs{};
    std::atomic<uint32_t> users{0};

    static Td& from(ibv_td* td) { return *reinterpret_cast<Td*>(td); }
};

// What a parent domain's allocator is asked for (ibv_alloc_parent_domain(3)).
enum class QueueKind : uint64_t {
    kQp = uint64_t{VRNIC_UVERBS_DRIVER_ID} << 32,
    kCq,
    kSrq,
};

// Protection domain, or parent domain: one that adds a thread domain and an allocator to a
// protection domain. The kernel knows the latter only; both have its handle.
struct Pd {
    ibv_pd verbs{};
    std::atomic<uint32_t> users{0};  // parent domains and queues; more are counted by the kernel

    // A parent domain's:
    Pd* protection = nullptr;  // nullptr: not a parent domain
    Td* thread = nullptr;
    void* (*alloc)(ibv_pd*, void* context, size_t size, size_t alignment, uint64_t type) = nullptr;
    void (*free)(ibv_pd*, void* context, void* memory, uint64_t type) = nullptr;
    void* allocator_context = nullptr;

    static Pd& from(ibv_pd* pd) { return *reinterpret_cast<Pd*>(pd); }
    bool single_threaded() const { return thread != nullptr; }
};

// Keeps a domain while somebody is in it.
class DomainUse {
  public:
    DomainUse() = default;
    explicit DomainUse(Pd* pd) : pd_(pd) {
        if (pd_) pd_->users.fetch_add(1);
    }
    DomainUse(DomainUse&& other) noexcept : pd_(std::exchange(other.pd_, nullptr)) {}
    DomainUse& operator=(DomainUse&& other) noexcept {
        std::swap(pd_, other.pd_);
        return *this;
    }
    ~DomainUse() {
        if (pd_) pd_->users.fetch_sub(1);
    }
    Pd* get() const { return pd_; }

  private:
    Pd* pd_ = nullptr;
};

}  // namespace vrnic
