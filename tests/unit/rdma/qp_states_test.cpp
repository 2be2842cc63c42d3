// SPDX-License-Identifier: GPL-2.0-or-later
// The whole state table, written down a second time.
#include "rdma/qp_states.h"

#include <set>
#include <string>
#include <utility>

#include "unit/catch.h"
#include "vrnic_admin.h"

using namespace vrnic;

namespace {
constexpr unsigned kStates = 7;
}

TEST_CASE("there are these transitions and no others") {
    //                                   to: RESET INIT RTR RTS SQD SQE ERR
    constexpr bool kAllowed[kStates][kStates] = {
        /* RESET */ {true, true, false, false, false, false, false},
        /* INIT  */ {true, true, true, false, false, false, true},
        /* RTR   */ {true, false, false, true, false, false, true},
        /* RTS   */ {true, false, false, true, true, false, true},
        /* SQD   */ {true, false, false, true, true, false, true},
        /* SQE   */ {true, false, false, false, false, false, true},
        /* ERR   */ {true, false, false, false, false, false, true},
    };
    for (unsigned from = 0; from < 256; ++from)
        for (unsigned to = 0; to < 256; ++to) {
            const bool allowed = from < kStates && to < kStates && kAllowed[from][to];
            const Transition* found =
                find_transition(static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(to));
            if ((found != nullptr) != allowed) FAIL("from " << from << " to " << to);
        }
}

TEST_CASE("transitions ask for what the specification lists") {
    const auto* init = find_transition(VRNIC_QPS_RESET, VRNIC_QPS_INIT);
    CHECK(init->required == (VRNIC_QP_PKEY_INDEX | VRNIC_QP_PORT | VRNIC_QP_ACCESS_FLAGS));
    const auto* rtr = find_transition(VRNIC_QPS_INIT, VRNIC_QPS_RTR);
    CHECK(rtr->required == (VRNIC_QP_AV | VRNIC_QP_PATH_MTU | VRNIC_QP_DEST_QPN | VRNIC_QP_RQ_PSN |
                            VRNIC_QP_MAX_DEST_RD_ATOMIC | VRNIC_QP_MIN_RNR_TIMER));
    const auto* rts = find_transition(VRNIC_QPS_RTR, VRNIC_QPS_RTS);
    CHECK(rts->required == (VRNIC_QP_TIMEOUT | VRNIC_QP_RETRY_CNT | VRNIC_QP_RNR_RETRY |
                            VRNIC_QP_SQ_PSN | VRNIC_QP_MAX_QP_RD_ATOMIC));
    for (unsigned from = 0; from < kStates; ++from)
        for (unsigned to : {VRNIC_QPS_RESET, VRNIC_QPS_ERR})
            if (const auto* found =
                    find_transition(static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(to)))
                CHECK((found->required | found->optional) == 0);
}

TEST_CASE("states have names") {
    std::set<std::string> names;
    for (unsigned state = 0; state < kStates; ++state)
        names.insert(qp_state_name(static_cast<std::uint8_t>(state)));
    CHECK(names.size() == kStates);
    CHECK(std::string(qp_state_name(9)) == "?");
}
