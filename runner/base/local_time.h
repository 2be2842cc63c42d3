// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <ctime>
#include <string>

namespace vrnic::runner {

// Now, in this machine's time zone. format: strftime(3)'s, for at most 31 characters.
[[nodiscard]] inline std::string local_time(const char* format) {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), format, &local);
    return text.data();
}

}  // namespace vrnic::runner
