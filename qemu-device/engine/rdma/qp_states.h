// SPDX-License-Identifier: GPL-2.0-or-later
// Which transitions a queue pair may make and which attributes each needs or takes (IBTA 11.2.5.2,
// tables 91 and following).
#pragma once

#include <cstdint>
#include <optional>

namespace vrnic {

struct Transition {
    std::uint32_t required;  // VRNIC_QP_* besides STATE
    std::uint32_t optional;
};

// type: VRNIC_QPT_*; from, to: VRNIC_QPS_*. nullopt: there is no such transition.
std::optional<Transition> find_transition(std::uint8_t type, std::uint8_t from, std::uint8_t to);
const char* qp_state_name(std::uint8_t state);

}  // namespace vrnic
