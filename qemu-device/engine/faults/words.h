// SPDX-License-Identifier: GPL-2.0-or-later
// The words of rules for opcodes and statuses.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/names.h"
#include "faults/rule.h"

namespace vrnic {

// "SEND_FIRST+SEND_ONLY", "ack+0x11", as the kind's point has them. nullopt: a word is unknown.
std::optional<OpcodeSet> opcodes_of(FaultPoint point, std::string_view words,
                                    std::span<const Name> commands);
std::string opcode_words(FaultPoint point, const OpcodeSet& opcodes,
                         std::span<const Name> commands);

std::optional<std::uint16_t> status_of(FaultPoint point, std::string_view word);
std::string status_word(FaultPoint point, std::uint16_t status);

// Digits, or 0x and hexadecimal ones; nothing else.
std::optional<std::uint64_t> number_of(std::string_view word);

}  // namespace vrnic
