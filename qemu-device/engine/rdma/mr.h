// SPDX-License-Identifier: GPL-2.0-or-later
// Keys: the memory regions and windows that they stand for, and the check that every access passes
// (IBTA 10.6.3, 10.6.7).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/chunked_table.h"
#include "base/id_pool.h"
#include "base/result.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "rdma/syndrome.h"
#include "vrnic_admin.h"
#include "vrnic_contexts.h"
#include "vrnic_ring.h"

namespace vrnic {

enum class KeyKind : std::uint8_t {
    region,
    all_memory,   // of the kernel: addresses are those of the bus
    fast_region,  // registered by requests of privileged queue pairs
    window_type_1,
    window_type_2,  // type 2B: belongs to the queue pair that bound it
};

// What a key stands for.
struct MemoryKey {
    std::uint32_t key = 0;  // index << 8 | key byte; 0: the slot is free
    std::uint32_t pdn = 0;
    std::uint32_t access = 0;  // VRNIC_ACCESS_*
    KeyKind kind = KeyKind::region;
    std::uint8_t key_byte = 0;  // last used at this index; outlives the object, and a reset
    bool granting = false;      // what follows: a window that is bound, a region that has memory
    std::uint64_t iova = 0;
    std::uint64_t length = 0;  // bytes
    // Region of any kind.
    PagedMemory memory;
    std::uint32_t windows = 0;  // that are bound to it
    // Bound window.
    std::uint32_t region = 0;         // index
    std::uint64_t region_offset = 0;  // of its first byte
    std::uint32_t qpn = 0;            // type 2
};

inline bool is_window(const MemoryKey& entry) {
    return entry.kind == KeyKind::window_type_1 || entry.kind == KeyKind::window_type_2;
}

// Where the bytes are that a check has granted: from offset of memory on.
struct MemoryView {
    const PagedMemory* memory;
    std::uint64_t offset;
};
using CheckResult = std::expected<MemoryView, Syndrome>;

// Who uses a remote key: the queue pair that was asked to.
struct KeyUser {
    std::uint32_t pdn;
    std::uint32_t qpn;
};

// IBTA 11.2.8.10: what a bind request asks for.
struct WindowBind {
    std::uint32_t key;     // of the window from now on; its index says which window
    std::uint32_t mr_key;  // the region's
    std::uint64_t address;
    std::uint64_t length;
    std::uint32_t access;
};

// IBTA 10.6.5.4: what a fast registration asks for.
struct FastRegistration {
    std::uint32_t key;  // of the region from now on; its index says which region
    std::uint64_t iova;
    vrnic_sqe_reg how;  // checked by nobody yet
};

class MrTable {
  public:
    static constexpr std::uint64_t kMaxRegionBytes = std::uint64_t{1} << 40;

    struct Limits {
        std::uint32_t max_regions;      // and windows
        std::uint32_t max_pages;        // of one region
        std::uint64_t max_total_pages;  // of all
        std::uint32_t max_fast_pages;   // of one region that requests register
    };
    MrTable(Host& host, const Limits& limits);

    // Admin commands; pdn was checked. The answers are keys.
    AdminResult<std::uint32_t> register_region(const vrnic_cmd_reg_mr& cmd);
    AdminResult<void> reregister(const vrnic_cmd_rereg_mr& cmd);
    AdminResult<std::uint32_t> alloc_all_memory(const vrnic_cmd_alloc_dma_mr& cmd);
    AdminResult<std::uint32_t> alloc_fast_region(const vrnic_cmd_alloc_fast_mr& cmd);
    AdminResult<void> deregister(std::uint32_t key);
    // The memory is the guest's again; windows that are bound to the region grant nothing either.
    AdminResult<void> revoke(std::uint32_t key);
    AdminResult<std::uint32_t> alloc_window(const vrnic_cmd_alloc_mw& cmd);
    AdminResult<void> dealloc_window(std::uint32_t key);  // the key byte does not count
    void reset();

    // When key names a region of pdn that grants all of access (VRNIC_ACCESS_*; 0 for local reads)
    // to address..address+length. length 0 is granted with any key (IBTA 9.4.3): the answer is then
    // a view of no bytes. It holds until the next command: do not keep it beyond one event.
    CheckResult check(std::uint32_t key, std::uint32_t pdn, std::uint64_t address,
                      std::uint64_t length, std::uint32_t access) const;
    // The same for a peer's request: the key may be a window's.
    CheckResult check_remote(std::uint32_t key, KeyUser user, std::uint64_t address,
                             std::uint64_t length, std::uint32_t access) const;
    // Of all that the key stands for.
    CheckResult check_remote_whole(std::uint32_t key, KeyUser user, std::uint32_t access) const;

    // By requests of a queue pair (IBTA 10.6.7.2; 10.6.6: only type 2 windows and fast regions can
    // be invalidated so).
    std::expected<void, Syndrome> bind(KeyUser user, const WindowBind& how);
    std::expected<void, Syndrome> register_fast(KeyUser user, const FastRegistration& what);
    std::expected<void, Syndrome> invalidate(KeyUser user, std::uint32_t key);
    void forget_qp(std::uint32_t qpn);  // unbinds its windows; O(n)

    // Of any kind, by the index in the key; nullopt: there is none.
    std::optional<vrnic_key_context> describe(std::uint32_t key) const;

    std::uint32_t users_of(std::uint32_t pdn) const {  // regions and windows
        return pdn < users_of_pd_.size() ? users_of_pd_[pdn] : 0;
    }

  private:
    MemoryKey* find(std::uint32_t key);
    const MemoryKey* find(std::uint32_t key) const { return const_cast<MrTable*>(this)->find(key); }
    std::expected<const MemoryKey*, Syndrome> find_remote(std::uint32_t key, KeyUser user) const;
    AdminResult<MemoryKey*> take(std::uint32_t pdn, KeyKind kind);
    void give_back(MemoryKey& entry);
    AdminResult<PagedMemory> read_pages(const vrnic_page_list& pages, std::uint64_t length,
                                        std::uint64_t freed, std::uint32_t detail);
    void count(std::uint32_t pdn, int change);
    void unbind(MemoryKey& window);

    Host& host_;
    Limits limits_;
    ChunkedTable<MemoryKey> keys_;
    IdPool indices_;
    std::vector<std::uint32_t> users_of_pd_;  // by number, as far as there were any
    std::uint64_t total_pages_ = 0;
};

}  // namespace vrnic
