// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/qp_states.h"

#include <iterator>

#include "vrnic_admin.h"

namespace vrnic {

namespace {

constexpr std::uint32_t kInit = VRNIC_QP_PKEY_INDEX | VRNIC_QP_PORT | VRNIC_QP_ACCESS_FLAGS;
constexpr std::uint32_t kRtrRequired = VRNIC_QP_AV | VRNIC_QP_PATH_MTU | VRNIC_QP_DEST_QPN |
                                       VRNIC_QP_RQ_PSN | VRNIC_QP_MAX_DEST_RD_ATOMIC |
                                       VRNIC_QP_MIN_RNR_TIMER;
constexpr std::uint32_t kRtsRequired = VRNIC_QP_TIMEOUT | VRNIC_QP_RETRY_CNT | VRNIC_QP_RNR_RETRY |
                                       VRNIC_QP_SQ_PSN | VRNIC_QP_MAX_QP_RD_ATOMIC;
constexpr std::uint32_t kRunning =
    VRNIC_QP_CUR_STATE | VRNIC_QP_ACCESS_FLAGS | VRNIC_QP_MIN_RNR_TIMER;
constexpr std::uint32_t kDrained =
    VRNIC_QP_PORT | VRNIC_QP_AV | VRNIC_QP_TIMEOUT | VRNIC_QP_RETRY_CNT | VRNIC_QP_RNR_RETRY |
    VRNIC_QP_MAX_QP_RD_ATOMIC | VRNIC_QP_MAX_DEST_RD_ATOMIC | VRNIC_QP_ACCESS_FLAGS |
    VRNIC_QP_PKEY_INDEX | VRNIC_QP_MIN_RNR_TIMER;

constexpr Transition kTransitions[] = {
    // clang-format off
    // from             to                required      optional
    {VRNIC_QPS_RESET,  VRNIC_QPS_RESET,  0,            0},
    {VRNIC_QPS_RESET,  VRNIC_QPS_INIT,   kInit,        0},
    {VRNIC_QPS_INIT,   VRNIC_QPS_RESET,  0,            0},
    {VRNIC_QPS_INIT,   VRNIC_QPS_ERR,    0,            0},
    {VRNIC_QPS_INIT,   VRNIC_QPS_INIT,   0,            kInit},
    {VRNIC_QPS_INIT,   VRNIC_QPS_RTR,    kRtrRequired, VRNIC_QP_ACCESS_FLAGS | VRNIC_QP_PKEY_INDEX},
    {VRNIC_QPS_RTR,    VRNIC_QPS_RESET,  0,            0},
    {VRNIC_QPS_RTR,    VRNIC_QPS_ERR,    0,            0},
    {VRNIC_QPS_RTR,    VRNIC_QPS_RTS,    kRtsRequired, kRunning},
    {VRNIC_QPS_RTS,    VRNIC_QPS_RESET,  0,            0},
    {VRNIC_QPS_RTS,    VRNIC_QPS_ERR,    0,            0},
    {VRNIC_QPS_RTS,    VRNIC_QPS_RTS,    0,            kRunning},
    {VRNIC_QPS_RTS,    VRNIC_QPS_SQD,    0,            VRNIC_QP_EN_SQD_ASYNC_NOTIFY},
    {VRNIC_QPS_SQD,    VRNIC_QPS_RESET,  0,            0},
    {VRNIC_QPS_SQD,    VRNIC_QPS_ERR,    0,            0},
    {VRNIC_QPS_SQD,    VRNIC_QPS_RTS,    0,            kRunning},
    {VRNIC_QPS_SQD,    VRNIC_QPS_SQD,    0,            kDrained},
    {VRNIC_QPS_SQE,    VRNIC_QPS_RESET,  0,            0},  // RC never enters SQE
    {VRNIC_QPS_SQE,    VRNIC_QPS_ERR,    0,            0},
    {VRNIC_QPS_ERR,    VRNIC_QPS_RESET,  0,            0},
    {VRNIC_QPS_ERR,    VRNIC_QPS_ERR,    0,            0},
    // clang-format on
};

}  // namespace

const Transition* find_transition(std::uint8_t from, std::uint8_t to) {
    for (const Transition& transition : kTransitions)
        if (transition.from == from && transition.to == to) return &transition;
    return nullptr;
}

const char* qp_state_name(std::uint8_t state) {
    constexpr const char* kNames[] = {"RESET", "INIT", "RTR", "RTS", "SQD", "SQE", "ERR"};
    return state < std::size(kNames) ? kNames[state] : "?";
}

}  // namespace vrnic
