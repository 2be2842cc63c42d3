// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vrnic::setup {

// Writes an initramfs archive in memory: cpio, "newc" format, all owned by root
// (Documentation/driver-api/early-userspace/buffer-format.rst). Needs no root to write device
// nodes. Names are relative, parents first.
class Cpio {
  public:
    void folder(std::string_view name);
    void file(std::string_view name, std::string_view content, std::uint32_t permissions);
    void character_device(std::string_view name, std::uint32_t major, std::uint32_t minor,
                          std::uint32_t permissions);
    // Ends the archive; nothing is added after.
    [[nodiscard]] std::string finish();

  private:
    void entry(std::string_view name, std::uint32_t mode, std::string_view content,
               std::uint32_t major = 0, std::uint32_t minor = 0);
    void pad();

    std::string bytes_;
    std::uint32_t inode_ = 0;
};

}  // namespace vrnic::setup
