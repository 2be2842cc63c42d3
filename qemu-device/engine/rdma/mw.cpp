// SPDX-License-Identifier: GPL-2.0-or-later
// Memory windows: parts of a region with a key of their own (IBTA 10.6.7.2).
#include "rdma/mr.h"
#include "vrnic_ring.h"

namespace vrnic {
namespace {

constexpr std::uint32_t kIndexShift = 8;
constexpr std::uint32_t kRemoteChange = VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_ATOMIC;
constexpr std::uint32_t kWindowAccess =
    kRemoteChange | VRNIC_ACCESS_REMOTE_READ | VRNIC_ACCESS_ZERO_BASED;

std::unexpected<Syndrome> refuse(Syndrome reason) {
    return std::unexpected(reason);
}

bool is_live_window(const MemoryKey* entry) {
    return entry && entry->key != 0 && is_window(*entry);
}

// What the window's own state and owner say.
std::expected<void, Syndrome> check_window(const MemoryKey& window, KeyUser user,
                                           const WindowBind& how) {
    if (window.pdn != user.pdn) return refuse(VRNIC_SYND_WRONG_PD);
    if ((how.access & ~kWindowAccess) != 0) return refuse(VRNIC_SYND_NO_PERMISSION);
    if (window.kind == KeyKind::window_type_1) {
        // Each bind makes the key before it stale; addresses are always those of the region.
        if (how.key == window.key) return refuse(VRNIC_SYND_BAD_KEY);
        if ((how.access & VRNIC_ACCESS_ZERO_BASED) != 0) return refuse(VRNIC_SYND_WINDOW_STATE);
    } else if (window.granting || how.length == 0) {
        return refuse(VRNIC_SYND_WINDOW_STATE);
    }
    return {};
}

std::expected<void, Syndrome> check_region(const MemoryKey* region, KeyUser user,
                                           const WindowBind& how) {
    if (!region || region->kind != KeyKind::region || !region->granting)
        return refuse(VRNIC_SYND_BAD_KEY);
    if (region->pdn != user.pdn) return refuse(VRNIC_SYND_WRONG_PD);
    if ((region->access & VRNIC_ACCESS_MW_BIND) == 0 ||
        (region->access & VRNIC_ACCESS_ZERO_BASED) != 0)
        return refuse(VRNIC_SYND_NO_PERMISSION);
    if ((how.access & kRemoteChange) != 0 && (region->access & VRNIC_ACCESS_LOCAL_WRITE) == 0)
        return refuse(VRNIC_SYND_NO_PERMISSION);
    if (how.address < region->iova || how.length > region->length ||
        how.address - region->iova > region->length - how.length)
        return refuse(VRNIC_SYND_OUT_OF_BOUNDS);
    return {};
}

}  // namespace

AdminResult<std::uint32_t> MrTable::alloc_window(const vrnic_cmd_alloc_mw& cmd) {
    if (cmd.type != VRNIC_MW_TYPE_1 && cmd.type != VRNIC_MW_TYPE_2)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_alloc_mw, type));
    const auto window = take(
        cmd.pdn, cmd.type == VRNIC_MW_TYPE_1 ? KeyKind::window_type_1 : KeyKind::window_type_2);
    if (!window) return std::unexpected(window.error());
    return (*window)->key;
}

AdminResult<void> MrTable::dealloc_window(std::uint32_t key) {
    MemoryKey* window = keys_.find(key >> kIndexShift);
    if (!is_live_window(window))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    unbind(*window);
    give_back(*window);
    return {};
}

void MrTable::unbind(MemoryKey& window) {
    if (!window.granting) return;
    --keys_.find(window.region)->windows;
    window.granting = false;
}

std::expected<void, Syndrome> MrTable::bind(KeyUser user, const WindowBind& how) {
    MemoryKey* window = keys_.find(how.key >> kIndexShift);
    if (!is_live_window(window)) return refuse(VRNIC_SYND_BAD_KEY);
    if (auto checked = check_window(*window, user, how); !checked) return checked;
    MemoryKey* region = nullptr;
    if (how.length != 0) {  // of a type 1 window: no bytes, no region
        region = find(how.mr_key);
        if (auto checked = check_region(region, user, how); !checked) return checked;
    }
    unbind(*window);
    window->key = how.key;
    if (!region) return {};
    ++region->windows;
    window->granting = true;
    window->access = how.access;
    window->iova = (how.access & VRNIC_ACCESS_ZERO_BASED) != 0 ? 0 : how.address;
    window->length = how.length;
    window->region = region->key >> kIndexShift;
    window->region_offset = how.address - region->iova;
    window->qpn = user.qpn;
    return {};
}

std::expected<void, Syndrome> MrTable::invalidate(KeyUser user, std::uint32_t key) {
    MemoryKey* window = find(key);
    if (!window) return refuse(VRNIC_SYND_BAD_KEY);
    if (window->pdn != user.pdn) return refuse(VRNIC_SYND_WRONG_PD);
    if (window->kind == KeyKind::fast_region) {
        window->granting = false;
        return {};
    }
    if (window->kind != KeyKind::window_type_2) return refuse(VRNIC_SYND_NO_PERMISSION);
    if (!window->granting) return {};  // nothing is granted already
    if (window->qpn != user.qpn) return refuse(VRNIC_SYND_WRONG_QP);
    unbind(*window);
    return {};
}

void MrTable::forget_qp(std::uint32_t qpn) {
    keys_.for_each([&](MemoryKey& entry) {
        if (entry.granting && entry.kind == KeyKind::window_type_2 && entry.qpn == qpn)
            unbind(entry);
    });
}

}  // namespace vrnic
