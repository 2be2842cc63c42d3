// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Writing an entry of a send ring, in place and piece by piece: what ibv_post_send(3) and
// ibv_wr_post(3) have in common.
#pragma once

#include <infiniband/verbs.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vrnic_admin.h"
#include "vrnic_ring.h"

namespace vrnic {

// Kinds of QPs, as bits.
enum : uint8_t { kRc = 1, kUc = 2, kUd = 4, kXrc = 8 };
inline constexpr uint8_t kReliable = kRc | kXrc;
inline constexpr uint8_t kConnected = kReliable | kUc;
inline constexpr uint8_t kEvery = kConnected | kUd;

// What follows the header of an entry, before its list.
enum class Segment : uint8_t { kNone, kAtomic, kBind, kFlush };

// What is known of an operation.
struct SendOperation {
    uint8_t opcode = 0;  // VRNIC_OP_*, 0: not offered
    ibv_wc_opcode completion{};
    uint8_t kinds = 0;    // of QPs that have it
    uint32_t asked = 0;   // IBV_QP_EX_WITH_*: how it is asked for when the QP is made
    bool remote = false;  // names remote memory by the request's rdma part
    bool immediate = false;
    bool data = false;         // has a list
    bool inline_data = false;  // may carry its data in the entry
    bool invalidates = false;  // names a key
    bool local = false;        // sends nothing
    bool posted = true;        // ibv_post_send has it
    Segment segment = Segment::kNone;
    uint64_t needs = 0;  // VRNIC_CAP_* of the device
};

// By enum ibv_wr_opcode.
inline constexpr auto kOperations = [] {
    std::array<SendOperation, 16> rows{};
    // clang-format off
    rows[IBV_WR_RDMA_WRITE]           = {.opcode = VRNIC_OP_WRITE, .completion = IBV_WC_RDMA_WRITE, .kinds = kConnected, .asked = IBV_QP_EX_WITH_RDMA_WRITE, .remote = true, .data = true, .inline_data = true};
    rows[IBV_WR_RDMA_WRITE_WITH_IMM]  = {.opcode = VRNIC_OP_WRITE_IMM, .completion = IBV_WC_RDMA_WRITE, .kinds = kConnected, .asked = IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM, .remote = true, .immediate = true, .data = true, .inline_data = true};
    rows[IBV_WR_SEND]                 = {.opcode = VRNIC_OP_SEND, .completion = IBV_WC_SEND, .kinds = kEvery, .asked = IBV_QP_EX_WITH_SEND, .data = true, .inline_data = true};
    rows[IBV_WR_SEND_WITH_IMM]        = {.opcode = VRNIC_OP_SEND_IMM, .completion = IBV_WC_SEND, .kinds = kEvery, .asked = IBV_QP_EX_WITH_SEND_WITH_IMM, .immediate = true, .data = true, .inline_data = true};
    rows[IBV_WR_SEND_WITH_INV]        = {.opcode = VRNIC_OP_SEND_INV, .completion = IBV_WC_SEND, .kinds = kReliable, .asked = IBV_QP_EX_WITH_SEND_WITH_INV, .data = true, .inline_data = true, .invalidates = true, .needs = VRNIC_CAP_WINDOWS};
    rows[IBV_WR_RDMA_READ]            = {.opcode = VRNIC_OP_READ, .completion = IBV_WC_RDMA_READ, .kinds = kReliable, .asked = IBV_QP_EX_WITH_RDMA_READ, .remote = true, .data = true};
    rows[IBV_WR_ATOMIC_CMP_AND_SWP]   = {.opcode = VRNIC_OP_COMPARE_SWAP, .completion = IBV_WC_COMP_SWAP, .kinds = kReliable, .asked = IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP, .data = true, .segment = Segment::kAtomic, .needs = VRNIC_CAP_ATOMIC};
    rows[IBV_WR_ATOMIC_FETCH_AND_ADD] = {.opcode = VRNIC_OP_FETCH_ADD, .completion = IBV_WC_FETCH_ADD, .kinds = kReliable, .asked = IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD, .data = true, .segment = Segment::kAtomic, .needs = VRNIC_CAP_ATOMIC};
    rows[IBV_WR_LOCAL_INV]            = {.opcode = VRNIC_OP_LOCAL_INV, .completion = IBV_WC_LOCAL_INV, .kinds = kReliable, .asked = IBV_QP_EX_WITH_LOCAL_INV, .invalidates = true, .local = true, .needs = VRNIC_CAP_WINDOWS};
    rows[IBV_WR_BIND_MW]              = {.opcode = VRNIC_OP_BIND_MW, .completion = IBV_WC_BIND_MW, .kinds = kConnected, .asked = IBV_QP_EX_WITH_BIND_MW, .local = true, .segment = Segment::kBind, .needs = VRNIC_CAP_WINDOWS};
    rows[IBV_WR_FLUSH]                = {.opcode = VRNIC_OP_FLUSH, .completion = IBV_WC_FLUSH, .kinds = kReliable, .asked = IBV_QP_EX_WITH_FLUSH, .posted = false, .segment = Segment::kFlush, .needs = VRNIC_CAP_FLUSH_GLOBAL};
    rows[IBV_WR_ATOMIC_WRITE]         = {.opcode = VRNIC_OP_ATOMIC_WRITE, .completion = IBV_WC_ATOMIC_WRITE, .kinds = kReliable, .asked = IBV_QP_EX_WITH_ATOMIC_WRITE, .remote = true, .data = true, .inline_data = true, .needs = VRNIC_CAP_ATOMIC_WRITE};
    // clang-format on
    return rows;
}();

// IBV_QP_EX_WITH_* that a QP of that kind has on a device with these VRNIC_CAP_*.
constexpr uint64_t operations_of(uint8_t kind, uint64_t features) {
    uint64_t all = 0;
    for (const SendOperation& row : kOperations)
        if ((row.kinds & kind) && (features & row.needs) == row.needs) all |= row.asked;
    return all;
}

// Where the list, or inline data, of an operation begins in the entry.
inline size_t data_offset(uint8_t kind, const SendOperation& operation) {
    if (kind == kUd) return VRNIC_SQE_DATAGRAM_DATA_OFFSET;
    return operation.segment == Segment::kAtomic ? VRNIC_SQE_ATOMIC_DATA_OFFSET
                                                 : VRNIC_SQE_DATA_OFFSET;
}

// The header, with no key, address and data yet.
inline void write_header(vrnic_sqe& sqe, const SendOperation& operation, unsigned send_flags,
                         bool signal_all) {
    sqe.opcode = operation.opcode;
    sqe.flags = static_cast<uint8_t>(
        (signal_all || (send_flags & IBV_SEND_SIGNALED) ? VRNIC_SQE_SIGNALED : 0u) |
        (send_flags & IBV_SEND_FENCE ? VRNIC_SQE_FENCE : 0u) |
        (send_flags & IBV_SEND_SOLICITED ? VRNIC_SQE_SOLICITED : 0u));
    sqe.num_sge = 0;
    sqe.reserved0 = 0;
    sqe.imm = 0;
    sqe.inline_length = 0;
    sqe.rkey = 0;
    sqe.remote_addr = 0;
    sqe.xrc_srqn = 0;
    sqe.reserved1 = 0;
}

inline void write_remote(vrnic_sqe& sqe, uint32_t rkey, uint64_t address) {
    sqe.rkey = rkey;
    sqe.remote_addr = address;
}

template <typename T>
T& segment_of(vrnic_sqe& sqe) {
    return *reinterpret_cast<T*>(reinterpret_cast<std::byte*>(&sqe) + VRNIC_SQE_DATA_OFFSET);
}

inline void write_atomic(vrnic_sqe& sqe, uint64_t swap_or_add, uint64_t compare) {
    auto& segment = segment_of<vrnic_sqe_atomic>(sqe);
    segment.swap_or_add = swap_or_add;
    segment.compare = compare;
}

inline void write_bind(vrnic_sqe& sqe, uint32_t new_key, const ibv_mw_bind_info& info) {
    auto& segment = segment_of<vrnic_sqe_bind>(sqe);
    segment.length = info.length;
    segment.mr_key = info.mr ? info.mr->lkey : 0;
    // A window is for the peer; that its owner may write is said, too, and has no meaning.
    segment.access = info.mw_access_flags & ~uint32_t{IBV_ACCESS_LOCAL_WRITE};
    write_remote(sqe, new_key, info.addr);
}

inline void write_flush(vrnic_sqe& sqe, uint32_t length, uint8_t placement, uint8_t level) {
    auto& segment = segment_of<vrnic_sqe_flush>(sqe);
    segment = vrnic_sqe_flush{};
    segment.length = length;
    segment.placement = placement;
    segment.level = level;
}

inline void write_datagram(vrnic_sqe& sqe, const vrnic_av& av, uint32_t qpn, uint32_t qkey) {
    auto& segment = segment_of<vrnic_sqe_datagram>(sqe);
    segment.av = av;
    segment.qpn = qpn;
    segment.qkey = qkey;
    segment.reserved = 0;
}

inline void write_sge(std::byte* where, const ibv_sge& sge) {
    auto& out = *reinterpret_cast<vrnic_sge*>(where);
    out.addr = sge.addr;
    out.length = sge.length;
    out.lkey = sge.lkey;
}

// Appends data to an inline entry that has `length` bytes. False, and nothing written: no room.
inline bool append_inline(std::byte* where, uint32_t& length, uint32_t room, const void* data,
                          size_t size) {
    if (size > room - length) return false;
    if (size) std::memcpy(where + length, data, size);
    length += static_cast<uint32_t>(size);
    return true;
}

}  // namespace vrnic
