// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "commands/session.h"
#include "suites/report.h"
#include "suites/selection.h"
#include "suites/system_cases.h"

namespace vrnic::runner {

// Runs the chosen cases of the groups in VMs. Each group boots its VMs once; a case that fails
// leaves none behind to disturb the next: the VMs are then booted anew. A complaint of a guest's
// kernel fails the case during which it came. An error is only what ends the whole run.
[[nodiscard]] Result<void> run_system_suite(Session& session,
                                            const std::vector<SystemGroup>& groups,
                                            const Selection& selection, bool keep, Report& report);

// The case that judges a group's capture.
[[nodiscard]] std::string capture_case_name(const SystemGroup& group);

}  // namespace vrnic::runner
