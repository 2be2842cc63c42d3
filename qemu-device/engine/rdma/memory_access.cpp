// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/memory_access.h"

#include <algorithm>

namespace vrnic {

namespace {

AccessResult read_bytes(TransportContext& context, std::uint32_t key, std::uint32_t pdn,
                        std::uint64_t address, std::span<std::byte> out, std::uint32_t access) {
    if (out.empty()) return {};
    const auto region = context.regions.check(key, pdn, address, out.size(), access);
    if (!region) return std::unexpected(region.error());
    if (!(*region)->memory.read(context.host, address - (*region)->iova, out)) {
        ++context.counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    return {};
}

AccessResult write_bytes(TransportContext& context, std::uint32_t key, std::uint32_t pdn,
                         std::uint64_t address, std::span<const std::byte> data,
                         std::uint32_t access) {
    if (data.empty()) return {};
    const auto region = context.regions.check(key, pdn, address, data.size(), access);
    if (!region) return std::unexpected(region.error());
    if (!(*region)->memory.write(context.host, address - (*region)->iova, data)) {
        ++context.counters.dma_errors;
        return std::unexpected<Syndrome>(VRNIC_SYND_DMA_FAILED);
    }
    return {};
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

}  // namespace

AccessResult check_list(TransportContext& context, std::uint32_t pdn,
                        std::span<const vrnic_sge> list, std::uint32_t access) {
    for (const vrnic_sge& sge : list) {
        const auto region = context.regions.check(sge.lkey, pdn, sge.addr, sge.length, access);
        if (!region) return std::unexpected(region.error());
    }
    return {};
}

AccessResult gather(TransportContext& context, std::uint32_t pdn, std::span<const vrnic_sge> list,
                    std::uint64_t offset, std::span<std::byte> out) {
    return walk(list, offset, out.size(),
                [&](std::uint32_t key, std::uint64_t address, std::size_t bytes) {
                    auto result = read_bytes(context, key, pdn, address, out.first(bytes), 0);
                    out = out.subspan(bytes);
                    return result;
                });
}

AccessResult scatter(TransportContext& context, std::uint32_t pdn, std::span<const vrnic_sge> list,
                     std::uint64_t offset, std::span<const std::byte> data) {
    return walk(list, offset, data.size(),
                [&](std::uint32_t key, std::uint64_t address, std::size_t bytes) {
                    auto result = write_bytes(context, key, pdn, address, data.first(bytes),
                                              VRNIC_ACCESS_LOCAL_WRITE);
                    data = data.subspan(bytes);
                    return result;
                });
}

AccessResult read_remote(TransportContext& context, std::uint32_t pdn, std::uint32_t rkey,
                         std::uint64_t address, std::span<std::byte> out) {
    return read_bytes(context, rkey, pdn, address, out, VRNIC_ACCESS_REMOTE_READ);
}

AccessResult write_remote(TransportContext& context, std::uint32_t pdn, std::uint32_t rkey,
                          std::uint64_t address, std::span<const std::byte> data) {
    return write_bytes(context, rkey, pdn, address, data, VRNIC_ACCESS_REMOTE_WRITE);
}

}  // namespace vrnic
