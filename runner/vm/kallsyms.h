// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vrnic::runner {

// A function of a kernel, as /proc/kallsyms tells it.
struct KernelFunction {
    std::uint64_t address = 0;
    std::string name;
};

// The kernel's own functions (no module's, no data) in a /proc/kallsyms, each name once, lowest
// address first.
[[nodiscard]] std::vector<KernelFunction> kernel_functions(std::string_view kallsyms);

// Assembler text of a section ".kernel" with these names, relative to the first address. It takes
// no room in the file: the debugger reads the code from the guest.
[[nodiscard]] std::string symbols_assembly(const std::vector<KernelFunction>& functions);

}  // namespace vrnic::runner
