// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "setup/tool.h"

namespace vrnic::setup {

// The compressed ELF kernel inside a bzImage.
struct KernelPayload {
    std::string_view suffix;  // of a file so compressed: ".zst"
    std::span<const std::uint8_t> bytes;
};

// Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header": setup_sects,
// payload_offset and payload_length. bytes point into image.
[[nodiscard]] Result<KernelPayload> kernel_payload(std::span<const std::uint8_t> image);

}  // namespace vrnic::setup
