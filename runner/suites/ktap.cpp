// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/ktap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "base/lines.h"

namespace vrnic::runner {
namespace {

constexpr std::size_t most_remarks = 4096;  // bytes, of one result

// What a directive, "# SKIP reason" behind a name, makes of a result.
struct Directive {
    std::string_view word;
    Outcome outcome;
};
constexpr std::array directives{
    Directive{"SKIP", Outcome::skipped}, Directive{"TODO", Outcome::skipped},
    Directive{"XFAIL", Outcome::passed}, Directive{"TIMEOUT", Outcome::failed},
    Directive{"ERROR", Outcome::failed},
};

std::string_view trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
        text.remove_suffix(1);
    return text;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::size_t take_number(std::string_view& text) {
    std::size_t number = 0;
    while (!text.empty() && std::isdigit(static_cast<unsigned char>(text.front()))) {
        number = number * 10 + static_cast<std::size_t>(text.front() - '0');
        text.remove_prefix(1);
    }
    return number;
}

bool same_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() &&
           std::ranges::equal(text.substr(0, word.size()), word,
                              [](char a, char b) { return std::toupper(a) == b; });
}

class Reader {
  public:
    void take(std::string_view line) {
        const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
        line = trim(line);
        if (line.empty()) return;
        std::string_view rest = line;
        if (take_prefix(rest, "Bail out!"))
            return add("", Outcome::failed, fmt::format("the test gave up: {}", trim(rest)));
        if (take_prefix(rest, "1..")) {
            const std::size_t count = take_number(rest);
            return plan(indent, count, trim(rest));
        }
        const bool good = line.starts_with("ok ") || line == "ok";
        if (good || line.starts_with("not ok")) {
            rest.remove_prefix(good ? 2 : 6);
            return result(indent, good, trim(rest));
        }
        if (take_prefix(rest, "# Subtest:")) {
            subtest_ = trim(rest);
        } else if (line.front() == '#' && remarks_.size() < most_remarks) {
            remarks_.append(trim(line.substr(1))).append("\n");
        }
    }

    std::vector<KtapResult> finish() {
        leave_above({});
        if (results_.empty()) add("", Outcome::failed, "the output has no KTAP result");
        return std::move(results_);
    }

  private:
    struct Level {
        std::size_t indent;
        std::string name;
        std::optional<std::size_t> planned;
        std::size_t seen = 0;
    };

    // The level that a line of this indentation belongs to.
    Level& level(std::size_t indent) {
        leave_above(indent);
        if (levels_.empty() || levels_.back().indent < indent) {
            levels_.push_back({indent, levels_.empty() ? "" : std::exchange(subtest_, {}), {}, 0});
        }
        return levels_.back();
    }

    // Ends the levels that are deeper; all, when there is none to stay in.
    void leave_above(std::optional<std::size_t> indent) {
        while (!levels_.empty() && (!indent || levels_.back().indent > *indent)) {
            const Level ended = std::move(levels_.back());
            levels_.pop_back();
            if (ended.planned && *ended.planned != ended.seen)
                add(ended.name, Outcome::failed,
                    fmt::format("the plan says {} results, and there were {}", *ended.planned,
                                ended.seen));
        }
    }

    void plan(std::size_t indent, std::size_t count, std::string_view directive) {
        level(indent).planned = count;
        if (count == 0 && take_prefix(directive, "#") && same_word(trim(directive), "SKIP"))
            add(level(indent).name, Outcome::skipped, std::string(trim(trim(directive).substr(4))));
    }

    void result(std::size_t indent, bool good, std::string_view text) {
        Level& at = level(indent);
        ++at.seen;
        const std::size_t number = take_number(text);
        text = trim(text);
        if (take_prefix(text, "-")) text = trim(text);

        Outcome outcome = good ? Outcome::passed : Outcome::failed;
        std::string message = outcome == Outcome::failed ? std::exchange(remarks_, {}) : "";
        remarks_.clear();
        if (const auto hash = text.rfind('#'); hash != std::string_view::npos) {
            const std::string_view directive = trim(text.substr(hash + 1));
            for (const auto& [word, meaning] : directives) {
                if (!same_word(directive, word)) continue;
                outcome = meaning;
                const auto reason = trim(directive.substr(word.size()));
                message = outcome == Outcome::passed ? "" : std::string(directive) + "\n" + message;
                if (outcome == Outcome::skipped)
                    message = reason.empty() ? "the test says so" : std::string(reason);
                text = trim(text.substr(0, hash));
            }
        }
        std::string name = text.empty() ? fmt::format("result {}", number) : std::string(text);
        if (!at.name.empty()) name = at.name + ": " + name;
        add(name, outcome, std::move(message));
    }

    void add(const std::string& name, Outcome outcome, std::string message) {
        if (outcome == Outcome::failed && message.empty()) message = "not ok";
        results_.push_back({name.empty() ? "KTAP" : name, outcome, std::move(message)});
    }

    std::vector<Level> levels_;
    std::string subtest_;  // named, not begun
    std::string remarks_;
    std::vector<KtapResult> results_;
};

}  // namespace

std::vector<KtapResult> read_ktap(std::string_view text) {
    Reader reader;
    for_each_line(text, [&](std::string_view line) { reader.take(line); });
    return reader.finish();
}

bool looks_like_ktap(std::string_view text) {
    bool found = false;
    for_each_line(text, [&](std::string_view line) {
        found |= line.starts_with("KTAP version ") || line.starts_with("TAP version ");
    });
    return found;
}

}  // namespace vrnic::runner
