// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Small things the agent asks of its kernel.
namespace vrnic::agent {

template <typename T>
using Result = std::expected<T, std::string>;  // the error is one line for the runner

// A whole file (of /proc, /sys, /job); empty when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_file(const std::filesystem::path& path, std::string_view text);

// Without the white space around it.
[[nodiscard]] std::string trim(std::string_view text);

// Runs a program to its end with `input` on its stdin; its output goes to the agent's own.
[[nodiscard]] Result<void> run(const std::vector<std::string>& argv, std::string_view input = {});

// Asks again every 10 ms until the condition holds or the time is over.
bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds time);

}  // namespace vrnic::agent
