// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/kernel_config.h"

#include <map>
#include <optional>
#include <sstream>

namespace vrnic::setup {
namespace {

// What a configuration does not name is off.
constexpr std::string_view off = "n";

struct Option {
    std::string name;
    std::string value;
};

std::optional<Option> parse_option(std::string_view line) {
    constexpr std::string_view option = "CONFIG_", comment = "# ", not_set = " is not set";
    if (line.starts_with(comment) && line.ends_with(not_set)) {
        line.remove_prefix(comment.size());
        line.remove_suffix(not_set.size());
        if (!line.starts_with(option)) return {};
        return Option{std::string(line), std::string(off)};
    }
    const auto equals = line.find('=');
    if (!line.starts_with(option) || equals == std::string_view::npos) return {};
    return Option{std::string(line.substr(0, equals)), std::string(line.substr(equals + 1))};
}

}  // namespace

std::vector<std::string> missing_options(std::string_view wanted, std::string_view config) {
    std::map<std::string, std::string> values;
    std::istringstream have{std::string(config)};
    for (std::string line; std::getline(have, line);)
        if (auto option = parse_option(line)) values[option->name] = option->value;

    std::vector<std::string> missing;
    std::istringstream want{std::string(wanted)};
    for (std::string line; std::getline(want, line);) {
        const auto option = parse_option(line);
        if (!option) continue;
        const auto found = values.find(option->name);
        const std::string_view value = found == values.end() ? off : found->second;
        if (value != option->value) missing.push_back(line);
    }
    return missing;
}

}  // namespace vrnic::setup
