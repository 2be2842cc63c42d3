// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/pcapng.h"

#include <algorithm>

namespace vrnic::pcapng {

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kLinkTypeEthernet = 1;
constexpr std::size_t kMaxName = 255;

enum Option : std::uint16_t {
    kEnd = 0,
    kPacketFlags = 2,          // of a packet: bits 1:0 are its direction
    kInterfaceName = 2,        // of an interface
    kInterfaceResolution = 9,  // negative power of ten of a second
    kSectionApplication = 4,
};

template <typename Number>
void append(Bytes& out, Number value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

std::size_t padded(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

void append_padded(Bytes& out, std::span<const std::byte> data) {
    out.insert(out.end(), data.begin(), data.end());
    out.resize(out.size() + padded(data.size()) - data.size());
}

void append_option(Bytes& out, Option code, std::span<const std::byte> value) {
    append(out, static_cast<std::uint16_t>(code));
    append(out, static_cast<std::uint16_t>(value.size()));
    append_padded(out, value);
}

void append_option(Bytes& out, Option code, std::string_view text) {
    append_option(out, code, std::as_bytes(std::span(text)));
}

// A block is its type, its length, its body and the length again.
template <typename Body>
void append_block(Bytes& out, std::uint32_t type, Body body) {
    const std::size_t begin = out.size();
    append(out, type);
    append(out, std::uint32_t{0});
    body();
    const auto length = static_cast<std::uint32_t>(out.size() - begin + sizeof(std::uint32_t));
    append(out, length);
    std::ranges::copy(std::as_bytes(std::span(&length, 1)), out.begin() + begin + sizeof(type));
}

}  // namespace

void append_header(Bytes& out, std::string_view name) {
    append_block(out, kSectionHeader, [&] {
        append(out, kByteOrderMagic);
        append(out, std::uint16_t{1});  // version 1.0
        append(out, std::uint16_t{0});
        append(out, std::int64_t{-1});  // the section's length is not told
        append_option(out, kSectionApplication, "vrnic");
        append_option(out, kEnd, "");
    });
    append_block(out, kInterfaceDescription, [&] {
        constexpr std::byte kNanoseconds{9};
        append(out, kLinkTypeEthernet);
        append(out, std::uint16_t{0});
        append(out, std::uint32_t{0});  // frames are whole, whatever their length
        append_option(out, kInterfaceName, name.substr(0, kMaxName));
        append_option(out, kInterfaceResolution, std::span(&kNanoseconds, 1));
        append_option(out, kEnd, "");
    });
}

std::size_t packet_block_size(std::size_t frame_bytes) {
    constexpr std::size_t kFixed = 7 * 4, kFlags = 8, kEndOption = 4, kTrailer = 4;
    return kFixed + padded(frame_bytes) + kFlags + kEndOption + kTrailer;
}

void append_packet(Bytes& out, Direction direction, Nanoseconds time,
                   std::span<const std::byte> frame) {
    append_block(out, kEnhancedPacket, [&] {
        append(out, std::uint32_t{0});  // interface
        append(out, static_cast<std::uint32_t>(time >> 32));
        append(out, static_cast<std::uint32_t>(time));
        append(out, static_cast<std::uint32_t>(frame.size()));  // as captured
        append(out, static_cast<std::uint32_t>(frame.size()));  // as it was
        append_padded(out, frame);
        const std::uint32_t flags = direction == Direction::in ? 1 : 2;
        append_option(out, kPacketFlags, std::as_bytes(std::span(&flags, 1)));
        append_option(out, kEnd, "");
    });
}

}  // namespace vrnic::pcapng
