// SPDX-License-Identifier: GPL-2.0-or-later
// Diagnostics: one formatted line to the host, cut at 256 bytes, without allocation.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "host/host.h"

namespace vrnic {

template <typename... Args>
void log_line(Host& host, LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    std::array<char, 256> line;
    auto result =
        fmt::format_to_n(line.data(), line.size(), format, std::forward<Args>(args)...);
    host.log(level, std::string_view(line.data(), std::min(result.size, line.size())));
}

// A mistake of the guest: the line begins with the object, "CQ 17: ...".
template <typename... Args>
void guest_error(Host& host, fmt::format_string<Args...> format, Args&&... args) {
    log_line(host, LogLevel::guest_error, format, std::forward<Args>(args)...);
}

}  // namespace vrnic
