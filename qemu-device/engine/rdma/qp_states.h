// SPDX-License-Identifier: GPL-2.0-or-later
// Which transitions a queue pair may make and which attributes each needs or takes (IBTA 11.2.5.2,
// tables 91 and following), for RC.
#pragma once

#include <cstdint>

namespace vrnic {

struct Transition {
    std::uint8_t from;  // VRNIC_QPS_*
    std::uint8_t to;
    std::uint32_t required;  // VRNIC_QP_* besides STATE
    std::uint32_t optional;
};

// nullptr: there is no such transition.
const Transition* find_transition(std::uint8_t from, std::uint8_t to);
const char* qp_state_name(std::uint8_t state);

}  // namespace vrnic
