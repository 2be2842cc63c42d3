// SPDX-License-Identifier: GPL-2.0-or-later
// From a connection and a packet's fields to a frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/psn.h"
#include "roce/headers.h"
#include "roce/opcode.h"

namespace vrnic::roce {

// All that the packets of one connection have in common.
struct Path {
    Service service = Service::rc;
    MacAddress source_mac{};
    MacAddress destination_mac{};
    std::uint16_t vlan = 0;  // id, with has_vlan
    bool has_vlan = false;
    bool ipv4 = false;
    Gid source{};
    Gid destination{};
    std::uint8_t service_level = 0;  // VLAN priority
    std::uint8_t traffic_class = 0;
    std::uint8_t hop_limit = 64;
    std::uint32_t flow_label = 0;
    std::uint16_t source_port = 0xc000;
    std::uint32_t destination_qp = 0;
    std::uint32_t source_qp = 0;  // whose packets these are; not on the wire
};

// The headers of a path, made once: Ethernet, VLAN tag, IP and UDP, with all lengths zero.
struct PathHeaders {
    std::uint8_t size = 0;
    std::uint8_t ip_offset = 0;
    bool ipv4 = false;
    Service service = Service::rc;
    std::uint32_t ip_sum = 0;  // IPv4: sum of the header without length and checksum
    std::uint32_t destination_qp = 0;
    std::uint32_t source_qp = 0;
    std::array<std::byte, kMaxHeaders> bytes{};

    static PathHeaders make(const Path& path);
};

struct PacketFields {
    Opcode opcode{};  // the service is the path's
    Psn psn;
    bool solicited = false;
    bool ack_request = false;
    // As the opcode has them.
    std::uint64_t address = 0;
    std::uint32_t rkey = 0;
    std::uint32_t length = 0;
    std::uint8_t syndrome = 0;
    std::uint32_t msn = 0;
    std::array<std::uint8_t, 4> immediate{};
    std::uint64_t swap_or_add = 0;
    std::uint64_t compare = 0;
    std::uint64_t original = 0;  // AtomicAckETH
    std::uint32_t invalidate_key = 0;
    std::uint8_t flush_placement = 0;
    std::uint8_t flush_level = 0;
    std::uint32_t xrc_srq = 0;
    std::uint32_t qkey = 0;  // DETH
    std::uint32_t source_qp = 0;
};

// A frame being built in a buffer of kMaxFrame bytes, which is the caller's.
class FrameBuilder {
  public:
    explicit FrameBuilder(std::span<std::byte, kMaxFrame> buffer) : buffer_(buffer) {}

    // Writes all headers; the answer is where payload_bytes (at most kMaxPathMtu) are to be put.
    std::span<std::byte> begin(const PathHeaders& path, const PacketFields& fields,
                               std::uint32_t payload_bytes);
    // Pads, computes the ICRC; the answer is the whole frame.
    std::span<const std::byte> finish();

  private:
    std::span<std::byte, kMaxFrame> buffer_;
    std::size_t ip_offset_ = 0;
    std::size_t payload_end_ = 0;
    std::size_t pad_ = 0;
};

}  // namespace vrnic::roce
