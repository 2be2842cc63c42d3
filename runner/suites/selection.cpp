// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/selection.h"

#include <algorithm>

#include "suites/suite_table.h"

namespace vrnic::runner {
namespace {

struct Word {
    std::string_view suite;
    std::string_view text;
};

Word split(std::string_view word) {
    const auto slash = word.find('/');
    if (slash == std::string_view::npos) return {word, {}};
    return {word.substr(0, slash), word.substr(slash + 1)};
}

}  // namespace

bool Selection::wants_all(std::string_view suite) const {
    const Suite* found = find_suite(suite);
    return words_.empty() && (found == nullptr || found->by_default);
}

bool Selection::has_suite(std::string_view suite) const {
    return wants_all(suite) || std::ranges::any_of(words_, [&](const auto& word) {
               return split(word).suite == suite;
           });
}

bool Selection::is_wanted(std::string_view suite, std::string_view name) const {
    return wants_all(suite) || std::ranges::any_of(words_, [&](const auto& word) {
               return split(word).suite == suite &&
                      name.find(split(word).text) != std::string_view::npos;
           });
}

bool Selection::has_case(std::string_view suite, std::string_view name) const {
    return is_wanted(suite, name) && !skips_.contains(std::string(suite).append("/").append(name));
}

bool Selection::has_all_of(std::string_view suite) const {
    const bool asked = wants_all(suite) || std::ranges::any_of(words_, [&](const auto& word) {
                           return split(word).suite == suite && split(word).text.empty();
                       });
    return asked && std::ranges::none_of(
                        skips_, [&](const auto& skip) { return split(skip.first).suite == suite; });
}

Skips Selection::skipped() const {
    Skips found = skips_;
    std::erase_if(found, [&](const auto& skip) {
        const auto [suite, name] = split(skip.first);
        return !is_wanted(suite, name);
    });
    return found;
}

}  // namespace vrnic::runner
