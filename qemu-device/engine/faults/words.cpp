// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/words.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "host/log.h"
#include "roce/opcode.h"
#include "vrnic_ring.h"

namespace vrnic {
namespace {

using roce::OpcodeInfo;
using roce::Operation;

// Kinds of packets, whatever their transport and their place in a message.
struct PacketClass {
    const char* name;
    bool (*has)(const OpcodeInfo&);
};

template <Operation operation>
bool is(const OpcodeInfo& info) {
    return info.operation == operation;
}

constexpr PacketClass kClasses[] = {
    {"request", [](const OpcodeInfo& info) { return info.is_request(); }},
    {"response",
     [](const OpcodeInfo& info) {
         return !info.is_request() && info.operation != Operation::none;
     }},
    {"send", is<Operation::send>},
    {"write", is<Operation::write>},
    {"read", is<Operation::read_request>},
    {"read-response", is<Operation::read_response>},
    {"ack", is<Operation::acknowledge>},
    {"atomic", is<Operation::atomic_request>},
    {"atomic-response", is<Operation::atomic_response>},
};

constexpr auto kWorkRequests = std::to_array<Name>({
    {"SEND", VRNIC_OP_SEND},
    {"SEND_IMM", VRNIC_OP_SEND_IMM},
    {"WRITE", VRNIC_OP_WRITE},
    {"WRITE_IMM", VRNIC_OP_WRITE_IMM},
    {"READ", VRNIC_OP_READ},
    {"SEND_INV", VRNIC_OP_SEND_INV},
    {"COMPARE_SWAP", VRNIC_OP_COMPARE_SWAP},
    {"FETCH_ADD", VRNIC_OP_FETCH_ADD},
    {"LOCAL_INV", VRNIC_OP_LOCAL_INV},
    {"BIND_MW", VRNIC_OP_BIND_MW},
    {"ATOMIC_WRITE", VRNIC_OP_ATOMIC_WRITE},
    {"FLUSH", VRNIC_OP_FLUSH},
});

constexpr auto kCompletionStatuses = std::to_array<Name>({
    {"LOC_LEN_ERR", VRNIC_WC_LOC_LEN_ERR},
    {"LOC_QP_OP_ERR", VRNIC_WC_LOC_QP_OP_ERR},
    {"LOC_PROT_ERR", VRNIC_WC_LOC_PROT_ERR},
    {"WR_FLUSH_ERR", VRNIC_WC_WR_FLUSH_ERR},
    {"MW_BIND_ERR", VRNIC_WC_MW_BIND_ERR},
    {"BAD_RESP_ERR", VRNIC_WC_BAD_RESP_ERR},
    {"LOC_ACCESS_ERR", VRNIC_WC_LOC_ACCESS_ERR},
    {"REM_INV_REQ_ERR", VRNIC_WC_REM_INV_REQ_ERR},
    {"REM_ACCESS_ERR", VRNIC_WC_REM_ACCESS_ERR},
    {"REM_OP_ERR", VRNIC_WC_REM_OP_ERR},
    {"RETRY_EXC_ERR", VRNIC_WC_RETRY_EXC_ERR},
    {"RNR_RETRY_EXC_ERR", VRNIC_WC_RNR_RETRY_EXC_ERR},
    {"FATAL_ERR", VRNIC_WC_FATAL_ERR},
    {"GENERAL_ERR", VRNIC_WC_GENERAL_ERR},
});

bool is_packet(FaultPoint point) {
    return point == FaultPoint::packet_out || point == FaultPoint::packet_in;
}

bool same_word(std::string_view one, std::string_view other) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(one, other, {}, lower, lower);
}

OpcodeSet packets_of(const PacketClass& one) {
    OpcodeSet set;
    for (unsigned opcode = 0; opcode < set.size(); ++opcode)
        set[opcode] = one.has(roce::opcode_info(static_cast<std::uint8_t>(opcode)));
    return set;
}

// Several transports may have packets of one name.
OpcodeSet packets_named(std::string_view name) {
    OpcodeSet set;
    for (unsigned opcode = 0; opcode < set.size(); ++opcode) {
        const OpcodeInfo& info = roce::opcode_info(static_cast<std::uint8_t>(opcode));
        if (info.operation != Operation::none && same_word(info.name, name)) set.set(opcode);
    }
    return set;
}

std::span<const Name> names_at(FaultPoint point, std::span<const Name> commands) {
    if (point == FaultPoint::command) return commands;
    return kWorkRequests;
}

// None: the word is unknown.
OpcodeSet opcodes_of_word(FaultPoint point, std::string_view word, std::span<const Name> commands) {
    OpcodeSet set;
    if (const auto number = number_of(word)) {
        if (*number < set.size()) set.set(*number);
        return set;
    }
    if (is_packet(point)) {
        for (const PacketClass& one : kClasses)
            if (same_word(one.name, word)) return packets_of(one);
        return packets_named(word);
    }
    for (const Name& name : names_at(point, commands))
        if (same_word(name.text, word) && name.value < set.size()) set.set(name.value);
    return set;
}

// The first of the opcodes, and all that its word stands for: at most the opcodes.
struct Word {
    std::string text;
    OpcodeSet stands_for;
};
Word first_word(FaultPoint point, const OpcodeSet& opcodes, std::span<const Name> commands) {
    unsigned opcode = 0;
    while (!opcodes[opcode]) ++opcode;
    const OpcodeSet alone = OpcodeSet().set(opcode);
    if (is_packet(point)) {
        const OpcodeInfo& info = roce::opcode_info(static_cast<std::uint8_t>(opcode));
        const OpcodeSet named = packets_named(info.name);
        if (info.operation != Operation::none && (named & ~opcodes).none())
            return {info.name, named};
    } else {
        for (const Name& name : names_at(point, commands))
            if (name.value == opcode) return {name.text, alone};
    }
    return {text("{:#04x}", opcode), alone};
}

}  // namespace

std::optional<std::uint64_t> number_of(std::string_view word) {
    int base = 10;
    if (word.starts_with("0x") || word.starts_with("0X")) {
        base = 16;
        word.remove_prefix(2);
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return value;
}

std::optional<OpcodeSet> opcodes_of(FaultPoint point, std::string_view words,
                                    std::span<const Name> commands) {
    OpcodeSet all;
    for (;;) {
        const std::size_t plus = words.find('+');
        const OpcodeSet some = opcodes_of_word(point, words.substr(0, plus), commands);
        if (some.none()) return std::nullopt;
        all |= some;
        if (plus == std::string_view::npos) return all;
        words.remove_prefix(plus + 1);
    }
}

std::string opcode_words(FaultPoint point, const OpcodeSet& opcodes,
                         std::span<const Name> commands) {
    if (is_packet(point))
        for (const PacketClass& one : kClasses)
            if (packets_of(one) == opcodes) return one.name;
    std::string words;
    for (OpcodeSet left = opcodes; left.any();) {
        const Word word = first_word(point, left, commands);
        words += (words.empty() ? "" : "+") + word.text;
        left &= ~word.stands_for;
    }
    return words;
}

std::optional<std::uint16_t> status_of(FaultPoint point, std::string_view word) {
    if (const auto number = number_of(word))
        return *number <= 0xffff ? std::optional(static_cast<std::uint16_t>(*number))
                                 : std::nullopt;
    if (point == FaultPoint::command) {
        for (std::size_t status = 0; status < kAdminStatusNames.size(); ++status)
            if (same_word(kAdminStatusNames[status], word))
                return static_cast<std::uint16_t>(status);
        return std::nullopt;
    }
    for (const Name& name : kCompletionStatuses)
        if (same_word(name.text, word)) return static_cast<std::uint16_t>(name.value);
    return std::nullopt;
}

std::string status_word(FaultPoint point, std::uint16_t status) {
    if (point == FaultPoint::command && status < kAdminStatusNames.size())
        return kAdminStatusNames[status];
    if (point == FaultPoint::completion)
        for (const Name& name : kCompletionStatuses)
            if (name.value == status) return name.text;
    return text("{}", status);
}

}  // namespace vrnic
