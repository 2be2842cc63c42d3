// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/table.h"

#include <algorithm>

namespace vrnic::runner {
namespace {

// Characters, not bytes; colour sequences take no room.
std::size_t width(const std::string& text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\x1b') {
            i = std::min(text.find('m', i), text.size());
            continue;
        }
        if ((text[i] & 0xc0) != 0x80) ++count;
    }
    return count;
}

std::string repeat(const char* text, std::size_t count) {
    std::string all;
    while (count-- > 0) all += text;
    return all;
}

}  // namespace

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        widths.push_back(width(columns_[i].heading));
        for (const auto& row : rows_) {
            if (i < row.size()) widths[i] = std::max(widths[i], width(row[i]));
        }
    }
    const auto rule = [&](const char* left, const char* middle, const char* right) {
        std::string line = left;
        for (std::size_t i = 0; i < widths.size(); ++i)
            line += repeat("─", widths[i] + 2) + (i + 1 < widths.size() ? middle : right);
        return line + "\n";
    };
    const auto row_line = [&](const auto& cell) {
        std::string line = "│";
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string text = cell(i);
            const std::string space(widths[i] - width(text), ' ');
            const bool right = columns_[i].align == Align::right;
            line += " " + (right ? space + text : text + space) + " │";
        }
        return line + "\n";
    };

    std::string all = rule("┌", "┬", "┐");
    all += row_line([&](std::size_t i) { return columns_[i].heading; });
    all += rule("├", "┼", "┤");
    for (const auto& row : rows_) {
        all += row.empty() ? rule("├", "┼", "┤") : row_line([&](std::size_t i) {
            return i < row.size() ? row[i] : std::string();
        });
    }
    return all + rule("└", "┴", "┘");
}

}  // namespace vrnic::runner
