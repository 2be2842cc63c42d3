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

// Looks through a kernel's log (console or dmesg) for complaints, line by line.
class KernelLogReader {
  public:
    // What is known to be a complaint with this line. Those of a report, "cut here" to "end trace",
    // are known at its end; what breaks the kernel, at once.
    [[nodiscard]] std::vector<KernelComplaint> read(std::string_view line);
    // Those of a report that broke off.
    [[nodiscard]] std::vector<KernelComplaint> end();

  private:
    std::vector<KernelComplaint> report_;
    bool in_report_ = false;
    bool overlap_ = false;  // the report is of memory that is mapped twice
    std::string module_;    // whose function is the innermost of the trace; empty: the kernel's
};

// Of a whole log.
[[nodiscard]] std::vector<KernelComplaint> find_complaints(std::string_view log);

}  // namespace vrnic::runner
