// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "setup/context.h"

namespace vrnic::setup {

// A QEMU that VMs can be started with, and the headers to build the device for it.
struct QemuFlavor {
    std::string version;               // "7.2": major and minor, what the loader goes by
    std::string package;               // the Debian package's version
    std::filesystem::path headers;     // the one include folder
    std::vector<std::string> command;  // argv that starts qemu-system-x86_64, options follow
};

// which: "system", the one installed on this machine, or "10.0", Debian 13's, unpacked in the
// cache with its own libraries.
[[nodiscard]] Result<QemuFlavor> qemu_flavor(const Context& context, const std::string& which);

// The headers of a QEMU source package, with all that configure and the build would have made
// and that a device outside the tree needs. No QEMU is configured or built.
// release: the Debian release to look in; version: of the package, "1:7.2+dfsg-7+deb12u18".
[[nodiscard]] Result<std::filesystem::path> qemu_headers(const Context& context,
                                                         const std::vector<std::string>& releases,
                                                         const std::string& version);

}  // namespace vrnic::setup
