// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/cpio.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace vrnic::setup {

void Cpio::folder(std::string_view name) {
    entry(name, S_IFDIR | 0755, {});
}

void Cpio::file(std::string_view name, std::string_view content, std::uint32_t permissions) {
    entry(name, S_IFREG | permissions, content);
}

void Cpio::character_device(std::string_view name, std::uint32_t major, std::uint32_t minor,
                            std::uint32_t permissions) {
    entry(name, S_IFCHR | permissions, {}, major, minor);
}

std::string Cpio::finish() {
    entry("TRAILER!!!", 0, {});
    return std::move(bytes_);
}

void Cpio::entry(std::string_view name, std::uint32_t mode, std::string_view content,
                 std::uint32_t major, std::uint32_t minor) {
    constexpr std::uint32_t root = 0, links = 1, time = 0, file_device = 0, checksum = 0;
    bytes_ += "070701";
    for (const std::uint32_t field :
         {++inode_, mode, root, root, links, time, std::uint32_t(content.size()), file_device,
          file_device, major, minor, std::uint32_t(name.size() + 1), checksum})
        bytes_ += fmt::format("{:08X}", field);
    bytes_ += name;
    bytes_ += '\0';
    pad();
    bytes_ += content;
    pad();
}

void Cpio::pad() {
    bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
}

}  // namespace vrnic::setup
