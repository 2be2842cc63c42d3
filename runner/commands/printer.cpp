// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace vrnic::runner {

void print_guest_line(std::size_t vm, std::string_view line) {
    static constexpr std::array colours{36, 33, 35, 32, 34, 31, 96, 93};  // ANSI foregrounds
    if (::isatty(STDOUT_FILENO))
        fmt::print("\x1b[{}mvm{}\x1b[0m │ {}\n", colours[vm % colours.size()], vm + 1, line);
    else
        fmt::print("vm{} | {}\n", vm + 1, line);
    std::fflush(stdout);
}

void print_remark(std::string_view text) {
    fmt::print(stderr, "vrnic: {}\n", text);
}

}  // namespace vrnic::runner
