// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/capture_file.h"

#include <cstring>
#include <fstream>
#include <iterator>

namespace vrnic::runner {
namespace {

using Content = std::span<const std::uint8_t>;

std::uint32_t word(Content content, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, content.data() + at, sizeof(value));
    return value;
}

std::uint16_t half(Content content, std::size_t at) {
    std::uint16_t value = 0;
    std::memcpy(&value, content.data() + at, sizeof(value));
    return value;
}

constexpr std::uint32_t pcap_magic = 0xa1b2c3d4;  // microseconds
constexpr std::uint32_t section_header = 0x0a0d0d0a;
constexpr std::uint32_t enhanced_packet = 6;

// Option 2 of an enhanced packet block: bits 1:0 say where it went.
CaptureFile::Direction direction_of(Content options) {
    using enum CaptureFile::Direction;
    constexpr std::uint16_t end = 0, flags = 2;
    for (std::size_t at = 0; at + 4 <= options.size();) {
        const std::uint16_t code = half(options, at);
        const std::size_t size = half(options, at + 2);
        if (code == end || at + 4 + size > options.size()) break;
        if (code == flags && size == 4) {
            const std::uint32_t value = word(options, at + 4) & 3;
            return value == 1 ? in : value == 2 ? out : unknown;
        }
        at += 4 + (size + 3) / 4 * 4;
    }
    return unknown;
}

}  // namespace

Result<CaptureFile> CaptureFile::read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    CaptureFile capture;
    capture.content_.assign(std::istreambuf_iterator<char>(in), {});
    const std::uint32_t magic = capture.content_.size() < 24 ? 0 : word(capture.content_, 0);
    if (magic == pcap_magic)
        capture.read_pcap();
    else if (magic == section_header)
        capture.read_pcapng();
    else
        return fail(ExitStatus::failure, "{} is no capture", file.string());
    return capture;
}

void CaptureFile::read_pcap() {
    constexpr std::size_t file_header = 24, record_header = 16;
    const Content content = content_;
    for (std::size_t at = file_header; at + record_header <= content.size();) {
        const std::size_t size = word(content, at + 8);
        if (size > content.size() - at - record_header) break;
        const std::uint64_t time =
            word(content, at) * 1'000'000'000ull + word(content, at + 4) * 1000ull;
        frames_.push_back({content.subspan(at + record_header, size), time, Direction::unknown});
        at += record_header + size;
    }
}

void CaptureFile::read_pcapng() {
    constexpr std::size_t smallest_block = 12, packet_header = 28, trailer = 4;
    const Content content = content_;
    for (std::size_t at = 0; at + smallest_block <= content.size();) {
        const std::size_t length = word(content, at + 4);
        if (length < smallest_block || length % 4 != 0 || length > content.size() - at) break;
        const Content block = content.subspan(at, length);
        at += length;
        if (word(block, 0) != enhanced_packet || length < packet_header + trailer) continue;
        const std::size_t size = word(block, 20);
        if (size > length - packet_header - trailer) break;
        const std::uint64_t time = std::uint64_t{word(block, 12)} << 32 | word(block, 16);
        const std::size_t options = packet_header + (size + 3) / 4 * 4;
        frames_.push_back({block.subspan(packet_header, size), time,
                           direction_of(block.subspan(options, length - trailer - options))});
    }
}

}  // namespace vrnic::runner
