// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string_view>

namespace vrnic::runner {

// Guest output on stdout: each line after its VM's name, in that VM's colour on a terminal.
void print_guest_line(std::size_t vm, std::string_view line);

// A remark of the runner itself, on stderr.
void print_remark(std::string_view text);

}  // namespace vrnic::runner
