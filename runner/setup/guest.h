// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "setup/context.h"
#include "setup/kernel.h"

namespace vrnic::setup {

struct GuestSpec {
    std::string guest = "debian13";  // a recipe in images/guests
    std::string kernel = "6.12";     // a recipe in images/kernels
    std::vector<std::string> with;   // Debian packages beside the recipe's
};

// What a VM boots from. All of it is read-only and may be used by many VMs at once.
struct GuestImage {
    std::filesystem::path boot;  // of the kernel
    std::filesystem::path initrd;
    std::filesystem::path rootfs;        // squashfs, for virtio-blk
    std::string kernel_release;          // uname -r
    std::filesystem::path kernel_build;  // for building modules
    std::filesystem::path tree;          // the unpacked user land, without kernel modules
    int least_memory_mib = 0;            // as the kernel's recipe has them
    int slowness = 1;
};

[[nodiscard]] Result<GuestImage> guest_image(const Context& context, const GuestSpec& spec);

// The unpacked user land alone: for linking against its libraries.
[[nodiscard]] Result<std::filesystem::path> guest_tree(const Context& context,
                                                       const GuestSpec& spec);

}  // namespace vrnic::setup
