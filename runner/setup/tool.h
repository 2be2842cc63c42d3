// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/event_loop.h"
#include "setup/progress.h"

namespace vrnic::setup {

using runner::Error;
using runner::EventLoop;
using runner::ExitStatus;
using runner::Result;

// A failure of set-up: exit status 125.
template <typename... Args>
[[nodiscard]] std::unexpected<Error> setup_error(fmt::format_string<Args...> format,
                                                 Args&&... args) {
    return std::unexpected(
        Error{ExitStatus::setup, fmt::format(format, std::forward<Args>(args)...)});
}

using Environment = std::vector<std::pair<std::string, std::string>>;

// A program that set-up runs. Found through PATH with the sbin folders added, which an ordinary
// user's PATH lacks.
struct Tool {
    std::vector<std::string> argv;
    std::filesystem::path directory;      // working directory; empty: the runner's own
    std::filesystem::path log;            // appended to: what it prints
    Environment environment;              // added to the runner's own
    std::function<std::string()> detail;  // shown by the progress line while it runs; may be empty
};

// Runs to the end. A non-zero exit is an error whose message has the most telling line of the log.
[[nodiscard]] Result<void> run_tool(EventLoop& loop, Progress& progress, Tool tool);

// What a short command prints on stdout. Its stderr is dropped; a non-zero exit is an error.
[[nodiscard]] Result<std::string> tool_output(const std::vector<std::string>& argv,
                                              const Environment& environment = {});

// Puts the sbin folders on this process's own PATH, once, before the first tool.
void add_sbin_to_path();

[[nodiscard]] Result<std::string> read_text(const std::filesystem::path& file);
[[nodiscard]] Result<void> write_text(const std::filesystem::path& file, std::string_view text);

// Bytes of the regular files right in a folder; 0 when it is not there.
[[nodiscard]] std::uintmax_t folder_bytes(const std::filesystem::path& folder);

}  // namespace vrnic::setup
