// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <utility>

#include "base/exit_status.h"

namespace vrnic::runner {

// A failure: one line for a person, which says what to do where that is known, and the status
// the command ends with.
struct Error {
    ExitStatus status = ExitStatus::setup;
    std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(ExitStatus status, fmt::format_string<Args...> format,
                                          Args&&... args) {
    return std::unexpected(Error{status, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace vrnic::runner
