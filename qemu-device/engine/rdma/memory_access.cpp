// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/memory_access.h"

#include <algorithm>

namespace vrnic {

namespace {

AccessResult read_bytes(TransportContext& context, const CheckResult& view,
                        std::span<std::byte> out) {
    if (!view) return std::unexpected(view.error());
    if (!view->memory->read(context.host, view->offset, out)) {
        ++context.counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    return {};
}

AccessResult write_bytes(TransportContext& context, const CheckResult& view,
                         std::span<const std::byte> data) {
    if (!view) return std::unexpected(view.error());
    if (!view->memory->write(context.host, view->offset, data)) {
        ++context.counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    return {};
}

// In one store, so that the guest's processors never see half of it. The bytes of a zero-based
// region need not be aligned where their address is.
bool store_word(TransportContext& context, const MemoryView& view, std::uint64_t value) {
    if (view.memory->is_aligned(view.offset))
        return view.memory->store64(context.host, view.offset, value);
    vrnic_le64 word;
    word = value;
    return view.memory->write(context.host, view.offset, std::as_bytes(std::span(&word, 1)));
}

// Calls piece(key, address, bytes) for the parts of offset .. offset + size, in order.
template <typename Piece>
AccessResult walk(std::span<const vrnic_sge> list, std::uint64_t offset, std::size_t size,
                  Piece piece) {
    for (const vrnic_sge& sge : list) {
        if (size == 0) break;
        const std::uint64_t length = sge.length;
        if (offset >= length) {
            offset -= length;
            continue;
        }
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(length - offset, size));
        if (auto result = piece(sge.lkey, sge.addr + offset, bytes); !result) return result;
        size -= bytes;
        offset = 0;
    }
    if (size != 0) return std::unexpected<Syndrome>(VRNIC_SYND_TOO_LONG);
    return {};
}

// For who watches a peer's accesses to a region or window.
void tell_access(TransportContext& context, KeyUser user, std::uint32_t rkey, std::uint8_t way,
                 std::size_t bytes) {
    if (context.streams.any()) [[unlikely]]
        context.streams.of_memory(rkey, user.qpn, way, bytes);
}

}  // namespace

AccessResult check_list(TransportContext& context, std::uint32_t pdn,
                        std::span<const vrnic_sge> list, std::uint32_t access) {
    for (const vrnic_sge& sge : list) {
        const auto view = context.regions.check(sge.lkey, pdn, sge.addr, sge.length, access);
        if (!view) return std::unexpected(view.error());
    }
    return {};
}

AccessResult gather(TransportContext& context, std::uint32_t pdn, std::span<const vrnic_sge> list,
                    std::uint64_t offset, std::span<std::byte> out) {
    return walk(
        list, offset, out.size(), [&](std::uint32_t key, std::uint64_t address, std::size_t bytes) {
            auto result = read_bytes(context, context.regions.check(key, pdn, address, bytes, 0),
                                     out.first(bytes));
            out = out.subspan(bytes);
            return result;
        });
}

AccessResult scatter(TransportContext& context, std::uint32_t pdn, std::span<const vrnic_sge> list,
                     std::uint64_t offset, std::span<const std::byte> data) {
    return walk(list, offset, data.size(),
                [&](std::uint32_t key, std::uint64_t address, std::size_t bytes) {
                    auto result = write_bytes(
                        context,
                        context.regions.check(key, pdn, address, bytes, VRNIC_ACCESS_LOCAL_WRITE),
                        data.first(bytes));
                    data = data.subspan(bytes);
                    return result;
                });
}

AccessResult read_remote(TransportContext& context, KeyUser user, std::uint32_t rkey,
                         std::uint64_t address, std::span<std::byte> out) {
    auto done = read_bytes(
        context,
        context.regions.check_remote(rkey, user, address, out.size(), VRNIC_ACCESS_REMOTE_READ),
        out);
    if (done) tell_access(context, user, rkey, VRNIC_STREAM_OUT, out.size());
    return done;
}

AccessResult write_remote(TransportContext& context, KeyUser user, std::uint32_t rkey,
                          std::uint64_t address, std::span<const std::byte> data) {
    auto done = write_bytes(
        context,
        context.regions.check_remote(rkey, user, address, data.size(), VRNIC_ACCESS_REMOTE_WRITE),
        data);
    if (done) tell_access(context, user, rkey, VRNIC_STREAM_IN, data.size());
    return done;
}

AccessResult store_remote(TransportContext& context, KeyUser user, std::uint32_t rkey,
                          std::uint64_t address, std::uint64_t value) {
    const auto view =
        context.regions.check_remote(rkey, user, address, sizeof(value), VRNIC_ACCESS_REMOTE_WRITE);
    if (!view) return std::unexpected(view.error());
    if (store_word(context, *view, value)) {
        tell_access(context, user, rkey, VRNIC_STREAM_IN, sizeof(value));
        return {};
    }
    ++context.counters.dma_errors;
    return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
}

std::expected<std::uint64_t, Syndrome> change_remote(TransportContext& context, KeyUser user,
                                                     std::uint32_t rkey, std::uint64_t address,
                                                     const AtomicOperation& operation) {
    const auto view = context.regions.check_remote(rkey, user, address, sizeof(std::uint64_t),
                                                   VRNIC_ACCESS_REMOTE_ATOMIC);
    if (!view) return std::unexpected(view.error());
    vrnic_le64 word;
    const auto bytes = std::as_writable_bytes(std::span(&word, 1));
    const auto failed = [&context] {
        ++context.counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    };
    if (!view->memory->read(context.host, view->offset, bytes)) return failed();
    tell_access(context, user, rkey, VRNIC_STREAM_OUT, sizeof(word));
    const std::uint64_t original = word;
    const bool adds = operation.kind == AtomicOperation::Kind::fetch_add;
    if (!adds && original != operation.compare) return original;
    const std::uint64_t changed = adds ? original + operation.swap_or_add : operation.swap_or_add;
    if (!store_word(context, *view, changed)) return failed();
    tell_access(context, user, rkey, VRNIC_STREAM_IN, sizeof(word));
    return original;
}

}  // namespace vrnic
