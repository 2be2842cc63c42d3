// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "setup/context.h"
#include "setup/guest.h"
#include "setup/qemu.h"

namespace vrnic::setup {

// Builds what is out of date of the checkout's own parts, in its meson build folder. Each of
// these takes a fraction of a second when nothing changed.

// The QEMU device, with glue for each of these QEMUs (and those built for before).
// The result is what -plugin file= is given.
[[nodiscard]] Result<std::filesystem::path> build_device(const Context& context,
                                                         const std::vector<QemuFlavor>& flavors);

// Makes the guest's library and tools, and their unit tests, part of the build. Fetches the headers
// that they need once.
[[nodiscard]] Result<void> configure_guest_lib(const Context& context);

// What a guest gets from the checkout: kernel modules for its kernel, provider, tools and agent.
// The result is a folder to share with it, read-only, as the 9p tag "vrnic".
[[nodiscard]] Result<std::filesystem::path> build_guest_parts(const Context& context,
                                                              const GuestImage& image);

// Kernel modules of the tests, from a folder of the checkout with a Kbuild file. The result is a
// folder with the modules.
[[nodiscard]] Result<std::filesystem::path> build_test_modules(const Context& context,
                                                               const GuestImage& image,
                                                               const std::string& folder);

// Everything that meson targets defined below a folder of the checkout make ("tests/unit").
// The result is the files.
[[nodiscard]] Result<std::vector<std::filesystem::path>> build_below(const Context& context,
                                                                     const std::string& folder);

}  // namespace vrnic::setup
