// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/bzimage.h"

#include <algorithm>
#include <array>

namespace vrnic::setup {
namespace {

constexpr std::size_t setup_sects_at = 0x1f1;
constexpr std::size_t magic_at = 0x202;  // "HdrS"
constexpr std::size_t payload_offset_at = 0x248;
constexpr std::size_t payload_length_at = 0x24c;
constexpr std::size_t header_end = 0x250;
constexpr std::size_t sector = 512;

struct Compression {
    std::string_view magic;
    std::string_view suffix;
    // Bytes that the kernel's build puts behind what the compressor wrote: the length of the
    // result. gzip's own format already ends in it.
    std::size_t trailer;
};

using namespace std::string_view_literals;
constexpr std::array<Compression, 4> compressions = {{
    {"\x28\xb5\x2f\xfd"sv, ".zst", 4},
    {"\xfd"
     "7zXZ"sv,
     ".xz", 4},
    {"\x02\x21\x4c\x18"sv, ".lz4", 4},
    {"\x1f\x8b\x08"sv, ".gz", 0},
}};

std::uint32_t le32(std::span<const std::uint8_t> bytes, std::size_t at) {
    return std::uint32_t{bytes[at]} | std::uint32_t{bytes[at + 1]} << 8 |
           std::uint32_t{bytes[at + 2]} << 16 | std::uint32_t{bytes[at + 3]} << 24;
}

}  // namespace

Result<KernelPayload> kernel_payload(std::span<const std::uint8_t> image) {
    if (image.size() < header_end ||
        std::string_view(reinterpret_cast<const char*>(&image[magic_at]), 4) != "HdrS")
        return setup_error("the kernel is not a bzImage");
    const std::size_t sects = image[setup_sects_at] ? image[setup_sects_at] : 4;
    const std::size_t start = (sects + 1) * sector + le32(image, payload_offset_at);
    const std::size_t length = le32(image, payload_length_at);
    if (start > image.size() || length > image.size() - start)
        return setup_error("the kernel's payload lies outside its file");
    const auto payload = image.subspan(start, length);

    for (const auto& known : compressions) {
        const bool same = payload.size() > known.magic.size() + known.trailer &&
                          std::equal(known.magic.begin(), known.magic.end(), payload.begin(),
                                     [](char a, std::uint8_t b) { return std::uint8_t(a) == b; });
        if (same) return KernelPayload{known.suffix, payload.first(payload.size() - known.trailer)};
    }
    return setup_error("the kernel's payload has an unknown compression");
}

}  // namespace vrnic::setup
