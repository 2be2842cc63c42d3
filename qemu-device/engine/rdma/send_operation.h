// SPDX-License-Identifier: GPL-2.0-or-later
// The operations of a send queue, one row each: how their entries look and what goes on the wire.
#pragma once

#include <array>
#include <cstdint>

#include "rdma/qp_type.h"
#include "roce/opcode.h"
#include "vrnic_admin.h"
#include "vrnic_ring.h"

namespace vrnic {

// What ends a request (IBTA 9.7.3, A19.4).
enum class Answer : std::uint8_t {
    none,             // no such operation
    local,            // nothing: it is carried out here, and sends no packet
    acknowledgement,  // which may cover others, too
    read,             // READ responses of its own
    atomic,           // an atomic response of its own
    placed,           // a READ response of its own, without data
};

// Which types of queue pair have an operation (IBTA table 100; XRC: as RC).
enum class Carriers : std::uint8_t { reliable, connected, all };

struct SendOperation {
    Answer answer = Answer::none;
    Carriers carriers = Carriers::reliable;
    bool carries_data = false;                         // from its list, or inline
    std::uint8_t data_offset = VRNIC_SQE_DATA_OFFSET;  // of the list or inline data in its entry
    // Its packets.
    roce::Opcode first{}, middle{}, last{}, only{};
    std::uint64_t needs = 0;  // VRNIC_CAP_* beside those of the QP's type

    bool is_of(std::uint8_t qp_type) const {
        if (answer == Answer::none) return false;
        if (is_datagram_type(qp_type)) return carriers == Carriers::all;
        return qp_type != VRNIC_QPT_UC || carriers != Carriers::reliable;
    }
    // Answered by packets of its own: counts against max_rd_atomic.
    bool fetches() const {
        return answer == Answer::read || answer == Answer::atomic || answer == Answer::placed;
    }
    // What the answer brings goes into its list.
    bool fills_list() const { return answer == Answer::read || answer == Answer::atomic; }
};

inline constexpr auto kSendOperations = [] {
    using enum Answer;
    using enum Carriers;
    constexpr std::uint8_t kData = VRNIC_SQE_DATA_OFFSET;
    constexpr std::uint8_t kAtomicData = VRNIC_SQE_ATOMIC_DATA_OFFSET;
    std::array<SendOperation, 16> rows{};
    // clang-format off
    rows[VRNIC_OP_SEND]         = {acknowledgement, all, true, kData, roce::kSendFirst, roce::kSendMiddle, roce::kSendLast, roce::kSendOnly};
    rows[VRNIC_OP_SEND_IMM]     = {acknowledgement, all, true, kData, roce::kSendFirst, roce::kSendMiddle, roce::kSendLastImm, roce::kSendOnlyImm};
    rows[VRNIC_OP_SEND_INV]     = {acknowledgement, reliable, true, kData, roce::kSendFirst, roce::kSendMiddle, roce::kSendLastInvalidate, roce::kSendOnlyInvalidate};
    rows[VRNIC_OP_WRITE]        = {acknowledgement, connected, true, kData, roce::kWriteFirst, roce::kWriteMiddle, roce::kWriteLast, roce::kWriteOnly};
    rows[VRNIC_OP_WRITE_IMM]    = {acknowledgement, connected, true, kData, roce::kWriteFirst, roce::kWriteMiddle, roce::kWriteLastImm, roce::kWriteOnlyImm};
    rows[VRNIC_OP_READ]         = {.answer = read, .only = roce::kReadRequest};
    rows[VRNIC_OP_COMPARE_SWAP] = {.answer = atomic, .data_offset = kAtomicData, .only = roce::kCompareSwap, .needs = VRNIC_CAP_ATOMIC};
    rows[VRNIC_OP_FETCH_ADD]    = {.answer = atomic, .data_offset = kAtomicData, .only = roce::kFetchAdd, .needs = VRNIC_CAP_ATOMIC};
    rows[VRNIC_OP_ATOMIC_WRITE] = {.answer = placed, .carries_data = true, .only = roce::kAtomicWrite, .needs = VRNIC_CAP_ATOMIC_WRITE};
    rows[VRNIC_OP_FLUSH]        = {.answer = placed, .only = roce::kFlush, .needs = VRNIC_CAP_FLUSH_GLOBAL};
    rows[VRNIC_OP_LOCAL_INV]    = {.answer = local};
    rows[VRNIC_OP_REG_MR]       = {.answer = local, .needs = VRNIC_CAP_FAST_REG};
    rows[VRNIC_OP_BIND_MW]      = {.answer = local, .carriers = connected, .needs = VRNIC_CAP_WINDOWS};
    // clang-format on
    return rows;
}();

// The row of any opcode; Answer::none for those that are no operation.
constexpr const SendOperation& send_operation(std::uint8_t opcode) {
    return kSendOperations[opcode < kSendOperations.size() ? opcode : 0];
}

}  // namespace vrnic
