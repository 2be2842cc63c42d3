// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/kallsyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "base/lines.h"

namespace vrnic::runner {
namespace {

bool good_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '.' || c == '$';
    });
}

}  // namespace

std::vector<KernelFunction> kernel_functions(std::string_view kallsyms) {
    // Below are per-CPU offsets and what a guest hides as zero.
    constexpr std::uint64_t lowest = 0xffff'ffff'8000'0000;
    std::vector<KernelFunction> functions;
    for_each_line(kallsyms, [&](std::string_view line) {
        // "ffffffff81000000 T _stext", and "\t[module]" behind those of a module
        KernelFunction function;
        const auto [rest, error] =
            std::from_chars(line.data(), line.data() + line.size(), function.address, 16);
        const auto parts = line.substr(static_cast<std::size_t>(rest - line.data()));
        if (error != std::errc() || parts.size() < 4 || function.address < lowest) return;
        if (std::string_view("tTwW").find(parts[1]) == std::string_view::npos) return;
        function.name = parts.substr(3);
        if (good_name(function.name)) functions.push_back(std::move(function));
    });
    std::ranges::stable_sort(functions, {}, &KernelFunction::address);
    std::set<std::string_view> seen;
    std::vector<KernelFunction> once;
    for (const auto& function : functions) {
        if (seen.insert(function.name).second) once.push_back(function);
    }
    return once;
}

std::string symbols_assembly(const std::vector<KernelFunction>& functions) {
    if (functions.empty()) return {};
    const std::uint64_t first = functions.front().address;
    std::string text = ".section .kernel,\"ax\",@nobits\n.Lfirst:\n";
    for (const auto& [address, name] : functions)
        text += fmt::format(".globl {0}\n.type {0},@function\n.set {0}, .Lfirst + {1:#x}\n", name,
                            address - first);
    return text + fmt::format(".skip {:#x}\n", functions.back().address - first + 1);
}

}  // namespace vrnic::runner
