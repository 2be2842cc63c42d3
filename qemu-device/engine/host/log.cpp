// SPDX-License-Identifier: GPL-2.0-or-later
// The one file of the engine that holds fmt's code: nothing else has to compile it, nor link a
// library.
#define FMT_HEADER_ONLY
#include "host/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace vrnic {

void log_line(Host& host, LogLevel level, fmt::string_view format, fmt::format_args args) {
    std::array<char, 256> line;
    const auto result = fmt::vformat_to_n(line.data(), line.size(), format, args);
    host.log(level, std::string_view(line.data(), std::min(result.size, line.size())));
}

std::string make_text(fmt::string_view format, fmt::format_args args) {
    return fmt::vformat(format, args);
}

}  // namespace vrnic
