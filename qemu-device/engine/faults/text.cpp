// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "faults/kinds.h"
#include "faults/words.h"
#include "host/log.h"

namespace vrnic {
namespace {

struct Unit {
    const char* name;
    Nanoseconds ns;
};
// The longer ones first: a time is written with the first one that divides it.
constexpr Unit kUnits[] = {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

std::optional<Nanoseconds> time_of(std::string_view word) {
    for (const Unit& unit : kUnits) {
        const std::string_view name = unit.name;
        // "5ms" ends with "s", too.
        if (!word.ends_with(name)) continue;
        const auto number = number_of(word.substr(0, word.size() - name.size()));
        if (number && *number <= kMaxFaultTime / unit.ns) return *number * unit.ns;
    }
    return std::nullopt;
}

std::string time_word(Nanoseconds time) {
    const auto unit = std::ranges::find_if(kUnits, [&](const Unit& u) { return time % u.ns == 0; });
    return text("{}{}", time / unit->ns, unit->name);
}

std::optional<std::uint32_t> ppm_of(std::string_view word) {
    double share = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), share);
    if (error != std::errc() || end != word.data() + word.size() || !(share >= 0 && share <= 1))
        return std::nullopt;
    return static_cast<std::uint32_t>(std::lround(share * FaultRule::kAlways));
}

// Of all: nothing.
std::string share_word(std::uint32_t ppm) {
    if (ppm == FaultRule::kAlways) return {};
    if (ppm == 0) return "0";
    std::string digits = text("0.{:06}", ppm);
    digits.erase(digits.find_last_not_of('0') + 1);
    return digits;
}

template <typename Number>
bool put_number(Number& into, std::string_view word, std::uint64_t least, std::uint64_t most) {
    const auto number = number_of(word);
    if (!number || *number < least || *number > most) return false;
    into = static_cast<std::remove_reference_t<decltype(into)>>(*number);
    return true;
}

template <typename T>
bool put(T& into, const std::optional<T>& value) {
    if (value) into = *value;
    return value.has_value();
}

// What a rule says, one row for each word before an "=".
struct Key {
    const char* name;
    FaultKey bit;
    const char* expected;
    // False: the word is not what is expected.
    bool (*read)(FaultRule& rule, std::string_view word, std::span<const Name> commands);
    // Nothing: as if it were not given.
    std::string (*write)(const FaultRule& rule, std::span<const Name> commands);
};

using Words = std::span<const Name>;

constexpr std::uint64_t kMost = ~std::uint64_t{0};

std::string unless_zero(std::uint64_t number) {
    return number == 0 ? std::string() : text("{}", number);
}

const Key kKeys[] = {
    {"dir", kKeyDirection, "in or out",
     [](FaultRule& rule, std::string_view word, Words) {
         rule.direction = word == "in" ? Direction::in : Direction::out;
         return word == "in" || word == "out";
     },
     [](const FaultRule& rule, Words) {
         return std::string(rule.direction == Direction::in ? "in" : "");
     }},
    {"queue", kKeyQueue, "send or receive",
     [](FaultRule& rule, std::string_view word, Words) {
         rule.queue = word == "receive" ? WorkQueue::receive : WorkQueue::send;
         return word == "send" || word == "receive";
     },
     [](const FaultRule& rule, Words) {
         return std::string(rule.queue == WorkQueue::receive ? "receive" : "");
     }},
    {"qpn", kKeyQpn, "the number of a QP of this device",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.qpn.emplace(), word, 0, 0xffffff);
     },
     [](const FaultRule& rule, Words) { return rule.qpn ? text("{}", *rule.qpn) : std::string(); }},
    {"vector", kKeyVector, "the number of an interrupt vector",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.vector.emplace(), word, 0, 2047);
     },
     [](const FaultRule& rule, Words) {
         return rule.vector ? text("{}", *rule.vector) : std::string();
     }},
    {"opcode", kKeyOpcode, "known names or numbers with + between",
     [](FaultRule& rule, std::string_view word, Words commands) {
         return put(rule.opcodes, opcodes_of(fault_point(rule), word, commands));
     },
     [](const FaultRule& rule, Words commands) {
         return rule.opcodes.all() ? std::string()
                                   : opcode_words(fault_point(rule), rule.opcodes, commands);
     }},
    {"nth", kKeyWhen, "a number from 1 on",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.nth, word, 1, kMost);
     },
     [](const FaultRule& rule, Words) { return unless_zero(rule.nth); }},
    {"every", kKeyWhen, "a number from 1 on",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.every, word, 1, kMost);
     },
     [](const FaultRule& rule, Words) { return unless_zero(rule.every); }},
    {"first", kKeyWhen, "a number from 1 on",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.first, word, 1, kMost);
     },
     [](const FaultRule& rule, Words) { return unless_zero(rule.first); }},
    {"probability", kKeyWhen, "a share between 0 and 1, as 0.01",
     [](FaultRule& rule, std::string_view word, Words) { return put(rule.ppm, ppm_of(word)); },
     [](const FaultRule& rule, Words) { return share_word(rule.ppm); }},
    {"seed", kKeyWhen, "a number",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.seed.emplace(), word, 0, kMost);
     },
     [](const FaultRule& rule, Words) {
         return rule.seed ? text("{}", *rule.seed) : std::string();
     }},
    {"packets", kKeyPackets, "a number from 1 to 1000",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.packets, word, 1, kMaxFaultPackets);
     },
     [](const FaultRule& rule, Words) {
         return rule.packets == 1 ? std::string() : text("{}", rule.packets);
     }},
    {"bytes", kKeyOctets, "a number from 1 to 4",
     [](FaultRule& rule, std::string_view word, Words) {
         return put_number(rule.octets, word, 1, kMaxFaultOctets);
     },
     [](const FaultRule& rule, Words) {
         return rule.octets == 1 ? std::string() : text("{}", rule.octets);
     }},
    {"icrc", kKeySealed, "wrong or right",
     [](FaultRule& rule, std::string_view word, Words) {
         rule.sealed = word == "right";
         return word == "wrong" || word == "right";
     },
     [](const FaultRule& rule, Words) { return std::string(rule.sealed ? "right" : ""); }},
    {"status", kKeyStatus, "the name or number of an error",
     [](FaultRule& rule, std::string_view word, Words) {
         return put(rule.status, status_of(fault_point(rule), word));
     },
     [](const FaultRule& rule, Words) {
         return rule.status == 0 ? std::string() : status_word(fault_point(rule), rule.status);
     }},
    {"after", kKeyAfter, "a time of at most an hour with its unit, as 500ms (ns, us, ms, s)",
     [](FaultRule& rule, std::string_view word, Words) { return put(rule.after, time_of(word)); },
     [](const FaultRule& rule, Words) {
         return rule.after == 0 ? std::string() : time_word(rule.after);
     }},
    {"for", kKeyTime, "a time of at most an hour with its unit, as 500ms (ns, us, ms, s)",
     [](FaultRule& rule, std::string_view word, Words) { return put(rule.time, time_of(word)); },
     [](const FaultRule& rule, Words) {
         return rule.time == fault_kind(rule.kind).time ? std::string() : time_word(rule.time);
     }},
};

std::string keys_of(const FaultKindInfo& info, std::uint32_t bits) {
    std::string names;
    for (const Key& key : kKeys)
        if ((info.keys & bits & key.bit) != 0)
            names += text("{}{}", names.empty() ? "" : ", ", key.name);
    return names;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// What is before the separator; the rest stays.
std::string_view cut(std::string_view& rest, char separator) {
    const std::size_t at = rest.find(separator);
    const std::string_view part = trimmed(rest.substr(0, at));
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
    return part;
}

std::expected<FaultRule, std::string> parse_rule(std::string_view rest, Words commands) {
    const std::string_view name = cut(rest, ',');
    const FaultKindInfo* info = find_fault_kind(name);
    if (!info) return std::unexpected(text("there is no fault \"{}\"", name));
    FaultRule rule;
    rule.kind = info->kind;
    rule.time = info->time;
    std::uint32_t given = 0;
    while (!rest.empty()) {
        std::string_view word = cut(rest, ',');
        const std::string_view said = word;
        const std::string_view key_name = cut(word, '=');
        const auto key = std::ranges::find(kKeys, key_name, &Key::name);
        if (key == std::end(kKeys) || (key->bit & info->keys) == 0)
            return std::unexpected(text("\"{}\": {} takes {}", said, name, keys_of(*info, ~0u)));
        if (!key->read(rule, trimmed(word), commands))
            return std::unexpected(text("\"{}\": {} is {}", said, key->name, key->expected));
        given |= key->bit;
    }
    if (const std::uint32_t missing = info->needs & ~given; missing != 0)
        return std::unexpected(text("{} needs {}", name, keys_of(*info, missing)));
    if (auto good = check_fault(rule); !good) return std::unexpected(good.error());
    return rule;
}

}  // namespace

std::expected<std::vector<FaultRule>, std::string> parse_faults(std::string_view given,
                                                                Words commands) {
    if (given.size() > kMaxFaultText)
        return std::unexpected(text("the rules are longer than {} bytes", kMaxFaultText));
    std::vector<FaultRule> rules;
    while (!given.empty()) {
        const std::string_view one = cut(given, ';');
        if (one.empty()) continue;
        if (rules.size() == kMaxFaultRules)
            return std::unexpected(text("more than {} rules", kMaxFaultRules));
        auto rule = parse_rule(one, commands);
        if (!rule) return std::unexpected(text("fault {}: {}", rules.size() + 1, rule.error()));
        rules.push_back(*rule);
    }
    return rules;
}

std::string format_faults(std::span<const FaultRule> rules, Words commands) {
    std::string all;
    for (const FaultRule& rule : rules) {
        const FaultKindInfo& info = fault_kind(rule.kind);
        if (!all.empty()) all += "; ";
        all += info.name;
        for (const Key& key : kKeys) {
            if ((key.bit & info.keys) == 0) continue;
            if (const std::string word = key.write(rule, commands); !word.empty())
                all += text(",{}={}", key.name, word);
        }
    }
    return all;
}

}  // namespace vrnic
