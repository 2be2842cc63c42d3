// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vrnic::runner {

// What a kernel says when something in it is wrong. A panic and an oops end the guest. A defect is
// a mistake that one of its checkers proved: memory, locks, leaks. A warning fails only a test.
enum class Complaint { warning, defect, oops, panic };

struct KernelComplaint {
    Complaint kind;
    std::string line;  // the kernel's own words, without time stamps
};

// Looks through a kernel log (console or dmesg) for complaints.
[[nodiscard]] std::vector<KernelComplaint> find_complaints(std::string_view log);

}  // namespace vrnic::runner
