// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace vrnic::check {

// The exit status tells what was found.
enum class ExitStatus {
    kRight = 0,
    kWrong = 1,       // data, or the behaviour on an error, is not what it must be
    kVerbsError = 2,  // it could not be found out: a verbs call failed, no completion, no peer
    kUsage = 3,
};

// Why a check ended, in words for a person.
struct Failure {
    ExitStatus status;
    std::string message;
};

template <typename T>
using Result = std::expected<T, Failure>;

inline std::unexpected<Failure> verbs_error(std::string message) {
    return std::unexpected(Failure{ExitStatus::kVerbsError, std::move(message)});
}
inline std::unexpected<Failure> wrong(std::string message) {
    return std::unexpected(Failure{ExitStatus::kWrong, std::move(message)});
}

}  // namespace vrnic::check
