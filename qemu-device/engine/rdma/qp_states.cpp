// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/qp_states.h"

#include <array>
#include <iterator>

#include "rdma/qp_type.h"
#include "vrnic_admin.h"

namespace vrnic {

namespace {

// Attributes of a transition, for each type of queue pair (IBTA 11.2.5.2 table 91; XRC: A14.3.3.2).
struct PerType {
    std::uint32_t rc, uc, ud, xrc_ini, xrc_tgt;
};
constexpr PerType all(std::uint32_t mask) {
    return {mask, mask, mask, mask, mask};
}
constexpr PerType kNone = all(0);

constexpr std::uint32_t kKey = VRNIC_QP_PKEY_INDEX;
constexpr std::uint32_t kCur = VRNIC_QP_CUR_STATE;
constexpr std::uint32_t kAccess = VRNIC_QP_ACCESS_FLAGS;
constexpr std::uint32_t kRnr = VRNIC_QP_MIN_RNR_TIMER;
constexpr std::uint32_t kQkey = VRNIC_QP_QKEY;
constexpr std::uint32_t kPath =
    VRNIC_QP_AV | VRNIC_QP_PATH_MTU | VRNIC_QP_DEST_QPN | VRNIC_QP_RQ_PSN;
constexpr std::uint32_t kResponder = VRNIC_QP_MAX_DEST_RD_ATOMIC | kRnr;
constexpr std::uint32_t kRetries = VRNIC_QP_TIMEOUT | VRNIC_QP_RETRY_CNT | VRNIC_QP_RNR_RETRY;
constexpr std::uint32_t kRequester = kRetries | VRNIC_QP_MAX_QP_RD_ATOMIC;
constexpr std::uint32_t kPort = VRNIC_QP_PORT;

constexpr PerType kInit = {
    kKey | kPort | kAccess, kKey | kPort | kAccess, kKey | kPort | kQkey,
    kKey | kPort | kAccess, kKey | kPort | kAccess,
};
constexpr PerType kRtr = {kPath | kResponder, kPath, 0, kPath, kPath | kResponder};
constexpr PerType kRtrOptional = {
    kKey | kAccess, kKey | kAccess, kKey | kQkey, kKey | kAccess, kKey | kAccess,
};
constexpr PerType kRts = {
    kRequester | VRNIC_QP_SQ_PSN,
    VRNIC_QP_SQ_PSN,
    VRNIC_QP_SQ_PSN,
    kRequester | VRNIC_QP_SQ_PSN,
    VRNIC_QP_TIMEOUT | VRNIC_QP_SQ_PSN,
};
constexpr PerType kRunning = {
    kCur | kAccess | kRnr, kCur | kAccess, kCur | kQkey, kCur | kAccess, kCur | kAccess | kRnr,
};
constexpr PerType kDrained = {
    kPort | VRNIC_QP_AV | kRequester | kResponder | kAccess | kKey,
    VRNIC_QP_AV | kAccess | kKey,
    kKey | kQkey,
    kPort | VRNIC_QP_AV | kRequester | kAccess | kKey,
    kPort | VRNIC_QP_AV | VRNIC_QP_TIMEOUT | kResponder | kAccess | kKey,
};
// Only those without acknowledgements get into SQE.
constexpr PerType kResumed = {0, kCur | kAccess, kCur | kQkey, 0, 0};

struct Row {
    std::uint8_t from;
    std::uint8_t to;
    PerType required;
    PerType optional;
};

constexpr Row kRows[] = {
    // clang-format off
    // from             to                required  optional
    {VRNIC_QPS_RESET,  VRNIC_QPS_RESET,  kNone,    kNone},
    {VRNIC_QPS_RESET,  VRNIC_QPS_INIT,   kInit,    kNone},
    {VRNIC_QPS_INIT,   VRNIC_QPS_RESET,  kNone,    kNone},
    {VRNIC_QPS_INIT,   VRNIC_QPS_ERR,    kNone,    kNone},
    {VRNIC_QPS_INIT,   VRNIC_QPS_INIT,   kNone,    kInit},
    {VRNIC_QPS_INIT,   VRNIC_QPS_RTR,    kRtr,     kRtrOptional},
    {VRNIC_QPS_RTR,    VRNIC_QPS_RESET,  kNone,    kNone},
    {VRNIC_QPS_RTR,    VRNIC_QPS_ERR,    kNone,    kNone},
    {VRNIC_QPS_RTR,    VRNIC_QPS_RTS,    kRts,     kRunning},
    {VRNIC_QPS_RTS,    VRNIC_QPS_RESET,  kNone,    kNone},
    {VRNIC_QPS_RTS,    VRNIC_QPS_ERR,    kNone,    kNone},
    {VRNIC_QPS_RTS,    VRNIC_QPS_RTS,    kNone,    kRunning},
    {VRNIC_QPS_RTS,    VRNIC_QPS_SQD,    kNone,    all(VRNIC_QP_EN_SQD_ASYNC_NOTIFY)},
    {VRNIC_QPS_SQD,    VRNIC_QPS_RESET,  kNone,    kNone},
    {VRNIC_QPS_SQD,    VRNIC_QPS_ERR,    kNone,    kNone},
    {VRNIC_QPS_SQD,    VRNIC_QPS_RTS,    kNone,    kRunning},
    {VRNIC_QPS_SQD,    VRNIC_QPS_SQD,    kNone,    kDrained},
    {VRNIC_QPS_SQE,    VRNIC_QPS_RESET,  kNone,    kNone},
    {VRNIC_QPS_SQE,    VRNIC_QPS_ERR,    kNone,    kNone},
    {VRNIC_QPS_SQE,    VRNIC_QPS_RTS,    kNone,    kResumed},
    {VRNIC_QPS_ERR,    VRNIC_QPS_RESET,  kNone,    kNone},
    {VRNIC_QPS_ERR,    VRNIC_QPS_ERR,    kNone,    kNone},
    // clang-format on
};

std::uint32_t of_type(const PerType& masks, std::uint8_t type) {
    switch (type) {
        case VRNIC_QPT_UC:
            return masks.uc;
        case VRNIC_QPT_UD:
        case VRNIC_QPT_GSI:
            return masks.ud;
        case VRNIC_QPT_XRC_INI:
            return masks.xrc_ini;
        case VRNIC_QPT_XRC_TGT:
            return masks.xrc_tgt;
        default:
            return masks.rc;
    }
}

bool may_be_in(std::uint8_t type, std::uint8_t state) {
    return state != VRNIC_QPS_SQE || type == VRNIC_QPT_UC || is_datagram_type(type);
}

}  // namespace

std::optional<Transition> find_transition(std::uint8_t type, std::uint8_t from, std::uint8_t to) {
    // The GSI queue pair is its port's: it need not be told (IBTA 11.2.5.2).
    const std::uint32_t known = type == VRNIC_QPT_GSI ? kPort : 0;
    for (const Row& row : kRows)
        if (row.from == from && row.to == to && may_be_in(type, from))
            return Transition{of_type(row.required, type) & ~known,
                              of_type(row.optional, type) |
                                  (of_type(row.required, type) & known)};
    return std::nullopt;
}

const char* qp_state_name(std::uint8_t state) {
    constexpr const char* kNames[] = {"RESET", "INIT", "RTR", "RTS", "SQD", "SQE", "ERR"};
    return state < std::size(kNames) ? kNames[state] : "?";
}

}  // namespace vrnic
