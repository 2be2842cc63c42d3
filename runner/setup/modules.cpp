// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/modules.h"

#include <algorithm>
#include <sstream>

namespace vrnic::setup {

std::string module_name(std::string_view path) {
    std::string name(path.substr(path.rfind('/') + 1));
    name.resize(std::min(name.find(".ko"), name.size()));
    std::ranges::replace(name, '-', '_');
    return name;
}

ModuleTable::ModuleTable(std::string_view modules_dep) {
    std::istringstream in{std::string(modules_dep)};
    for (std::string line; std::getline(in, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        auto& needs = needs_[line.substr(0, colon)];
        std::istringstream rest(line.substr(colon + 1));
        for (std::string module; rest >> module;) needs.push_back(module);
    }
}

std::vector<std::string> ModuleTable::below(std::string_view root) const {
    std::string prefix = "kernel/" + std::string(root);
    if (!root.ends_with('/')) prefix += ".ko";
    std::vector<std::string> found;
    for (auto at = needs_.lower_bound(prefix); at != needs_.end() && at->first.starts_with(prefix);
         ++at)
        found.push_back(at->first);
    return found;
}

std::string ModuleTable::named(std::string_view name) const {
    const std::string wanted = module_name(name);
    for (const auto& [path, needs] : needs_)
        if (module_name(path) == wanted) return path;
    return {};
}

std::vector<std::string> ModuleTable::with_dependencies(
    const std::vector<std::string>& modules) const {
    std::vector<std::string> order;
    std::map<std::string, bool> seen;
    for (const auto& module : modules) visit(module, order, seen);
    return order;
}

void ModuleTable::visit(const std::string& module, std::vector<std::string>& order,
                        std::map<std::string, bool>& seen) const {
    if (std::exchange(seen[module], true)) return;
    if (const auto found = needs_.find(module); found != needs_.end())
        for (const auto& need : found->second) visit(need, order, seen);
    order.push_back(module);
}

}  // namespace vrnic::setup
