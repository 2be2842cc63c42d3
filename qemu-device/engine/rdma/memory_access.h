// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory by key and virtual address: the only way by which the transport touches user data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "rdma/context.h"
#include "rdma/mr.h"
#include "vrnic_ring.h"

namespace vrnic {

using AccessResult = std::expected<void, Syndrome>;

// Every entry of a list has a key of the protection domain that grants access (VRNIC_ACCESS_*) to
// it whole.
AccessResult check_list(TransportContext& context, std::uint32_t pdn,
                        std::span<const vrnic_sge> list, std::uint32_t access);

// Bytes offset .. offset + size of the message that a scatter/gather list describes.
AccessResult gather(TransportContext& context, std::uint32_t pdn, std::span<const vrnic_sge> list,
                    std::uint64_t offset, std::span<std::byte> out);
AccessResult scatter(TransportContext& context, std::uint32_t pdn, std::span<const vrnic_sge> list,
                     std::uint64_t offset, std::span<const std::byte> data);

// By remote key, with the right VRNIC_ACCESS_REMOTE_*.
AccessResult read_remote(TransportContext& context, KeyUser user, std::uint32_t rkey,
                         std::uint64_t address, std::span<std::byte> out);
AccessResult write_remote(TransportContext& context, KeyUser user, std::uint32_t rkey,
                          std::uint64_t address, std::span<const std::byte> data);

// A 64-bit word in one store (IBTA A19.4.4).
AccessResult store_remote(TransportContext& context, KeyUser user, std::uint32_t rkey,
                          std::uint64_t address, std::uint64_t value);

// What becomes of a 64-bit word (IBTA 9.4.5).
struct AtomicOperation {
    enum class Kind : std::uint8_t { compare_swap, fetch_add } kind;
    std::uint64_t swap_or_add;
    std::uint64_t compare;  // compare_swap only
};
// The word is in the guest's byte order; the answer is what it was. Nothing of this device comes
// between reading and writing (IBTA 11.2.1.2: atomic within the device).
std::expected<std::uint64_t, Syndrome> change_remote(TransportContext& context, KeyUser user,
                                                     std::uint32_t rkey, std::uint64_t address,
                                                     const AtomicOperation& operation);

}  // namespace vrnic
