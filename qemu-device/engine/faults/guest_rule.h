// SPDX-License-Identifier: GPL-2.0-or-later
// Rules as the guest gives them (uapi/vrnic_fault.h).
#pragma once

#include "base/result.h"
#include "faults/rule.h"
#include "vrnic_fault.h"

namespace vrnic {

// A rule that can be carried out. Reserved fields were checked. rule_offset: of the structure in
// the command, for the error's detail.
AdminResult<FaultRule> from_guest(const vrnic_fault_rule& rule, std::uint32_t rule_offset);

// What from_guest makes the same rule of.
vrnic_fault_rule to_guest(const FaultRule& rule);

}  // namespace vrnic
