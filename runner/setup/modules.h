// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "setup/tool.h"

namespace vrnic::setup {

// A kernel's modules and what each depends on, from its modules.dep.
// Paths are relative to lib/modules/RELEASE, and may end in a compressor's suffix.
class ModuleTable {
  public:
    explicit ModuleTable(std::string_view modules_dep);

    // The modules of a root as the recipes write it: "drivers/nvme/" (all below), or
    // "drivers/net/veth" (that one).
    [[nodiscard]] std::vector<std::string> below(std::string_view root) const;
    // The module of that name ("9pnet_virtio", dash and underscore alike); empty when none,
    // as when it is built into the kernel.
    [[nodiscard]] std::string named(std::string_view name) const;
    // These and all that they depend on, each once, in an order in which they can be loaded.
    [[nodiscard]] std::vector<std::string> with_dependencies(
        const std::vector<std::string>& modules) const;

  private:
    void visit(const std::string& module, std::vector<std::string>& order,
               std::map<std::string, bool>& seen) const;
    std::map<std::string, std::vector<std::string>> needs_;
};

// "kernel/fs/9p/9p.ko.xz" to "9p".
[[nodiscard]] std::string module_name(std::string_view path);

}  // namespace vrnic::setup
