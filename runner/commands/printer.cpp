// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

namespace vrnic::runner {

void print_guest_line(std::size_t vm, std::string_view line) {
    static constexpr std::array colours{36, 33, 35, 32, 34, 31, 96, 93};  // ANSI foregrounds
    const std::string text =
        ::isatty(STDOUT_FILENO)
            ? fmt::format("\x1b[{}mvm{}\x1b[0m │ {}\n", colours[vm % colours.size()], vm + 1, line)
            : fmt::format("vm{} | {}\n", vm + 1, line);
    // Nobody may be reading any more (`... | head`): the run and its verdict go on.
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void print_remark(std::string_view text) {
    const std::string line = fmt::format("vrnic: {}\n", text);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace vrnic::runner
