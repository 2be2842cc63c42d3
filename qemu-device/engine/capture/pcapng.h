// SPDX-License-Identifier: GPL-2.0-or-later
// The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in this machine's byte order, which the
// file tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/direction.h"
#include "host/host.h"

namespace vrnic::pcapng {

// What a file begins with: the section, and its one interface, Ethernet, timestamps in nanoseconds.
// name: of the interface, at most 255 bytes are taken.
void append_header(std::vector<std::byte>& out, std::string_view name);

// Bytes that append_packet will take.
std::size_t packet_block_size(std::size_t frame_bytes);
// time: nanoseconds since 1970.
void append_packet(std::vector<std::byte>& out, Direction direction, Nanoseconds time,
                   std::span<const std::byte> frame);

}  // namespace vrnic::pcapng
