// SPDX-License-Identifier: GPL-2.0-or-later
// Diagnostics: one formatted line to the host, cut at 256 bytes, without allocation.
#pragma once

#include <fmt/core.h>

#include <string>

#include "host/host.h"

namespace vrnic {

void log_line(Host& host, LogLevel level, fmt::string_view format, fmt::format_args args);

// A mistake of the guest: the line begins with the object, "CQ 17: ...".
template <typename... Args>
void guest_error(Host& host, fmt::format_string<Args...> format, Args&&... args) {
    log_line(host, LogLevel::guest_error, format, fmt::make_format_args(args...));
}

// Of the device's life.
template <typename... Args>
void log_info(Host& host, fmt::format_string<Args...> format, Args&&... args) {
    log_line(host, LogLevel::info, format, fmt::make_format_args(args...));
}

// Something went wrong because a rule asked for it.
template <typename... Args>
void log_fault(Host& host, fmt::format_string<Args...> format, Args&&... args) {
    log_line(host, LogLevel::fault, format, fmt::make_format_args(args...));
}

// A line for people that goes elsewhere than to the log.
std::string make_text(fmt::string_view format, fmt::format_args args);
template <typename... Args>
std::string text(fmt::format_string<Args...> format, Args&&... args) {
    return make_text(format, fmt::make_format_args(args...));
}

}  // namespace vrnic
