// SPDX-License-Identifier: GPL-2.0-or-later
// Rules as people type them: "drop,opcode=READ_RESPONSE_LAST,nth=3; link-down,after=2s,for=500ms".
// docs/faults.md describes the words.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.h"
#include "faults/rule.h"

namespace vrnic {

inline constexpr std::size_t kMaxFaultText = 4096;  // bytes

// commands: the words for admin opcodes. No text is no rules. The error is one line for people.
std::expected<std::vector<FaultRule>, std::string> parse_faults(std::string_view text,
                                                                std::span<const Name> commands);

// What parse_faults makes the same rules of.
std::string format_faults(std::span<const FaultRule> rules, std::span<const Name> commands);

}  // namespace vrnic
