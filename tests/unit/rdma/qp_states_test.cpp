// SPDX-License-Identifier: GPL-2.0-or-later
// The whole state table, written down a second time (IBTA 11.2.5.2, A14.3.3.2).
#include "rdma/qp_states.h"

#include <algorithm>
#include <set>
#include <string>

#include "unit/catch.h"
#include "vrnic_admin.h"

using namespace vrnic;

namespace {

constexpr unsigned kStates = 7;
constexpr unsigned kTypes[] = {VRNIC_QPT_RC, VRNIC_QPT_UC, VRNIC_QPT_UD, VRNIC_QPT_XRC_INI,
                               VRNIC_QPT_XRC_TGT};

enum : unsigned { RESET, INIT, RTR, RTS, SQD, SQE, ERR };
enum : std::uint32_t {
    CUR = VRNIC_QP_CUR_STATE,
    NOTIFY = VRNIC_QP_EN_SQD_ASYNC_NOTIFY,
    ACCESS = VRNIC_QP_ACCESS_FLAGS,
    PKEY = VRNIC_QP_PKEY_INDEX,
    PORT = VRNIC_QP_PORT,
    QKEY = VRNIC_QP_QKEY,
    AV = VRNIC_QP_AV,
    MTU = VRNIC_QP_PATH_MTU,
    TIMEOUT = VRNIC_QP_TIMEOUT,
    RETRY = VRNIC_QP_RETRY_CNT,
    RNR = VRNIC_QP_RNR_RETRY,
    RQ_PSN = VRNIC_QP_RQ_PSN,
    RD = VRNIC_QP_MAX_QP_RD_ATOMIC,
    RNR_TIMER = VRNIC_QP_MIN_RNR_TIMER,
    SQ_PSN = VRNIC_QP_SQ_PSN,
    DEST_RD = VRNIC_QP_MAX_DEST_RD_ATOMIC,
    DEST = VRNIC_QP_DEST_QPN,
};

struct Row {
    unsigned type, from, to;
    std::uint32_t required, optional;
};

// Those that take attributes; to RESET and ERR none does.
constexpr Row kRows[] = {
    {VRNIC_QPT_RC, RESET, INIT, PKEY | PORT | ACCESS, 0},
    {VRNIC_QPT_RC, INIT, INIT, 0, PKEY | PORT | ACCESS},
    {VRNIC_QPT_RC, INIT, RTR, AV | MTU | DEST | RQ_PSN | DEST_RD | RNR_TIMER, PKEY | ACCESS},
    {VRNIC_QPT_RC, RTR, RTS, TIMEOUT | RETRY | RNR | SQ_PSN | RD, CUR | ACCESS | RNR_TIMER},
    {VRNIC_QPT_RC, RTS, RTS, 0, CUR | ACCESS | RNR_TIMER},
    {VRNIC_QPT_RC, RTS, SQD, 0, NOTIFY},
    {VRNIC_QPT_RC, SQD, RTS, 0, CUR | ACCESS | RNR_TIMER},
    {VRNIC_QPT_RC, SQD, SQD, 0,
     PORT | AV | TIMEOUT | RETRY | RNR | RD | DEST_RD | ACCESS | PKEY | RNR_TIMER},

    {VRNIC_QPT_UC, RESET, INIT, PKEY | PORT | ACCESS, 0},
    {VRNIC_QPT_UC, INIT, INIT, 0, PKEY | PORT | ACCESS},
    {VRNIC_QPT_UC, INIT, RTR, AV | MTU | DEST | RQ_PSN, PKEY | ACCESS},
    {VRNIC_QPT_UC, RTR, RTS, SQ_PSN, CUR | ACCESS},
    {VRNIC_QPT_UC, RTS, RTS, 0, CUR | ACCESS},
    {VRNIC_QPT_UC, RTS, SQD, 0, NOTIFY},
    {VRNIC_QPT_UC, SQD, RTS, 0, CUR | ACCESS},
    {VRNIC_QPT_UC, SQD, SQD, 0, AV | ACCESS | PKEY},
    {VRNIC_QPT_UC, SQE, RTS, 0, CUR | ACCESS},

    {VRNIC_QPT_UD, RESET, INIT, PKEY | PORT | QKEY, 0},
    {VRNIC_QPT_UD, INIT, INIT, 0, PKEY | PORT | QKEY},
    {VRNIC_QPT_UD, INIT, RTR, 0, PKEY | QKEY},
    {VRNIC_QPT_UD, RTR, RTS, SQ_PSN, CUR | QKEY},
    {VRNIC_QPT_UD, RTS, RTS, 0, CUR | QKEY},
    {VRNIC_QPT_UD, RTS, SQD, 0, NOTIFY},
    {VRNIC_QPT_UD, SQD, RTS, 0, CUR | QKEY},
    {VRNIC_QPT_UD, SQD, SQD, 0, PKEY | QKEY},
    {VRNIC_QPT_UD, SQE, RTS, 0, CUR | QKEY},

    {VRNIC_QPT_XRC_INI, RESET, INIT, PKEY | PORT | ACCESS, 0},
    {VRNIC_QPT_XRC_INI, INIT, INIT, 0, PKEY | PORT | ACCESS},
    {VRNIC_QPT_XRC_INI, INIT, RTR, AV | MTU | DEST | RQ_PSN, PKEY | ACCESS},
    {VRNIC_QPT_XRC_INI, RTR, RTS, TIMEOUT | RETRY | RNR | SQ_PSN | RD, CUR | ACCESS},
    {VRNIC_QPT_XRC_INI, RTS, RTS, 0, CUR | ACCESS},
    {VRNIC_QPT_XRC_INI, RTS, SQD, 0, NOTIFY},
    {VRNIC_QPT_XRC_INI, SQD, RTS, 0, CUR | ACCESS},
    {VRNIC_QPT_XRC_INI, SQD, SQD, 0, PORT | AV | TIMEOUT | RETRY | RNR | RD | ACCESS | PKEY},

    {VRNIC_QPT_XRC_TGT, RESET, INIT, PKEY | PORT | ACCESS, 0},
    {VRNIC_QPT_XRC_TGT, INIT, INIT, 0, PKEY | PORT | ACCESS},
    {VRNIC_QPT_XRC_TGT, INIT, RTR, AV | MTU | DEST | RQ_PSN | DEST_RD | RNR_TIMER, PKEY | ACCESS},
    {VRNIC_QPT_XRC_TGT, RTR, RTS, TIMEOUT | SQ_PSN, CUR | ACCESS | RNR_TIMER},
    {VRNIC_QPT_XRC_TGT, RTS, RTS, 0, CUR | ACCESS | RNR_TIMER},
    {VRNIC_QPT_XRC_TGT, RTS, SQD, 0, NOTIFY},
    {VRNIC_QPT_XRC_TGT, SQD, RTS, 0, CUR | ACCESS | RNR_TIMER},
    {VRNIC_QPT_XRC_TGT, SQD, SQD, 0, PORT | AV | TIMEOUT | DEST_RD | ACCESS | PKEY | RNR_TIMER},
};

// RESET can be reached from everywhere, ERR from everywhere but RESET, both with nothing.
bool ends(unsigned from, unsigned to) {
    return to == RESET || (to == ERR && from != RESET);
}

bool has_state(unsigned type, unsigned state) {
    return state != SQE || type == VRNIC_QPT_UC || type == VRNIC_QPT_UD;
}

auto find(unsigned type, unsigned from, unsigned to) {
    return find_transition(static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(from),
                           static_cast<std::uint8_t>(to));
}

}  // namespace

TEST_CASE("each type has these transitions, with these attributes, and no others") {
    for (const unsigned type : kTypes)
        for (unsigned from = 0; from < 256; ++from)
            for (unsigned to = 0; to < 256; ++to) {
                const auto row = std::ranges::find_if(kRows, [&](const Row& one) {
                    return one.type == type && one.from == from && one.to == to;
                });
                const bool ending =
                    from < kStates && to < kStates && has_state(type, from) && ends(from, to);
                const auto found = find(type, from, to);
                INFO("type " << type << " from " << from << " to " << to);
                if (found.has_value() != (ending || row != std::end(kRows))) FAIL("exists");
                if (!found) continue;
                CHECK(found->required == (ending ? 0 : row->required));
                CHECK(found->optional == (ending ? 0 : row->optional));
            }
}

TEST_CASE("states have names") {
    std::set<std::string> names;
    for (unsigned state = 0; state < kStates; ++state)
        names.insert(qp_state_name(static_cast<std::uint8_t>(state)));
    CHECK(names.size() == kStates);
    CHECK(std::string(qp_state_name(9)) == "?");
}
