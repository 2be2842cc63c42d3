// SPDX-License-Identifier: GPL-2.0-or-later
// Building and parsing: what was built is parsed back, and what is wrong in any one way is refused.
#include <algorithm>
#include <cstring>
#include <vector>

#include "roce/build.h"
#include "roce/checksum.h"
#include "roce/parse.h"
#include "unit/catch.h"

using namespace vrnic;
using namespace vrnic::roce;

namespace {

using Bytes = std::vector<std::byte>;

Path make_path(bool ipv4, bool vlan) {
    Path path;
    path.source_mac = {2, 0, 0, 0, 0, 1};
    path.destination_mac = {2, 0, 0, 0, 0, 2};
    path.has_vlan = vlan;
    path.vlan = vlan ? 77 : 0;
    path.service_level = 5;
    path.ipv4 = ipv4;
    if (ipv4) {
        path.source = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
        path.destination = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2};
    } else {
        path.source = {0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1};
        path.destination = {0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 2};
    }
    path.traffic_class = 0x28;
    path.hop_limit = 33;
    path.flow_label = 0xabcde;
    path.source_port = 0xc123;
    path.destination_qp = 0x123456;
    return path;
}

PacketFields make_fields(std::uint8_t opcode) {
    PacketFields fields;
    fields.opcode = static_cast<Opcode>(opcode & kOpcodeMask);
    fields.psn = Psn(0xabcdef);
    fields.address = 0x1122334455667788;
    fields.rkey = 0x99aabbcc;
    fields.length = 0x01020304;
    fields.syndrome = kNakSequence;
    fields.msn = 0x445566;
    fields.immediate = {9, 8, 7, 6};
    fields.swap_or_add = 0x0102030405060708;
    fields.compare = 0x1112131415161718;
    fields.original = 0x2122232425262728;
    fields.invalidate_key = 0x31323334;
    fields.flush_placement = 1;
    fields.flush_level = 1;
    fields.xrc_srq = 0x414243;
    fields.qkey = 0x51525354;
    fields.source_qp = 0x616263;
    return fields;
}

Bytes make_frame(const Path& path, const PacketFields& fields, std::uint32_t payload_bytes) {
    static std::array<std::byte, kMaxFrame> buffer;
    buffer.fill(std::byte{0xee});
    FrameBuilder builder{std::span<std::byte, kMaxFrame>(buffer)};
    const auto payload = builder.begin(PathHeaders::make(path), fields, payload_bytes);
    REQUIRE(payload.size() == payload_bytes);
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(i + 1);
    const auto frame = builder.finish();
    return {frame.begin(), frame.end()};
}

Bytes send_frame(std::uint32_t payload_bytes = 8, bool ipv4 = true, bool vlan = false) {
    return make_frame(make_path(ipv4, vlan), make_fields(kSendOnly), payload_bytes);
}

constexpr std::size_t kIp = 14, kUdp = kIp + 20, kBth = kUdp + 8;  // in an untagged IPv4 frame

void fix_ipv4_checksum(Bytes& frame) {
    frame[kIp + 10] = frame[kIp + 11] = std::byte{0};
    const auto sum = internet_checksum(internet_sum(std::span(frame).subspan(kIp, 20)));
    frame[kIp + 10] = static_cast<std::byte>(sum >> 8);
    frame[kIp + 11] = static_cast<std::byte>(sum);
}

// Of an untagged IPv4 frame whose IP packet ends where the frame does.
void fix_icrc(Bytes& frame) {
    const auto crc = icrc(std::span(frame).subspan(kIp, frame.size() - kIp - 4));
    for (std::size_t i = 0; i < 4; ++i)
        frame[frame.size() - 4 + i] = static_cast<std::byte>(crc >> (8 * i));
}

void put16(Bytes& frame, std::size_t at, std::size_t value) {
    frame[at] = static_cast<std::byte>(value >> 8);
    frame[at + 1] = static_cast<std::byte>(value);
}

ParseError error_of(const Bytes& frame) {
    // A copy of exactly the frame's size, so that the sanitizer sees a read past its end.
    const Bytes exact(frame.begin(), frame.end());
    const auto packet = parse(exact);
    REQUIRE_FALSE(packet.has_value());
    return packet.error();
}

}  // namespace

TEST_CASE("what was built is parsed back, for every opcode, payload and path") {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        const OpcodeInfo& info = opcode_info(static_cast<std::uint8_t>(opcode));
        if (info.operation == Operation::none) continue;
        for (const bool ipv4 : {true, false})
            for (const bool vlan : {true, false})
                for (const std::uint32_t bytes : {0u, 1u, 2u, 3u, 4u, 255u, 256u, 4096u}) {
                    if (info.payload == Payload::none && bytes != 0) continue;
                    Path path = make_path(ipv4, vlan);
                    path.service = info.service();
                    PacketFields fields = make_fields(static_cast<std::uint8_t>(opcode));
                    fields.solicited = opcode % 2 != 0;
                    fields.ack_request = opcode % 3 != 0;
                    const Bytes frame = make_frame(path, fields, bytes);
                    CAPTURE(info.name, ipv4, vlan, bytes);
                    const auto packet = parse(frame);
                    REQUIRE(packet.has_value());
                    CHECK(packet->opcode == &info);
                    CHECK(packet->source_mac == path.source_mac);
                    CHECK(packet->destination_mac == path.destination_mac);
                    CHECK(packet->vlan == path.vlan);
                    CHECK(packet->ipv4 == ipv4);
                    CHECK(packet->source == path.source);
                    CHECK(packet->destination == path.destination);
                    CHECK(packet->solicited == fields.solicited);
                    CHECK(packet->ack_request == fields.ack_request);
                    CHECK(packet->pkey == 0xffff);
                    CHECK(packet->destination_qp == path.destination_qp);
                    CHECK(packet->psn == fields.psn);
                    if (info.has(kReth)) {
                        CHECK(packet->address == fields.address);
                        CHECK(packet->rkey == fields.rkey);
                        CHECK(packet->length == fields.length);
                    }
                    if (info.has(kAeth)) {
                        CHECK(packet->syndrome == fields.syndrome);
                        CHECK(packet->msn == fields.msn);
                    }
                    if (info.has(kImmDt)) CHECK(packet->immediate == fields.immediate);
                    if (info.has(kXrceth)) CHECK(packet->xrc_srq == fields.xrc_srq);
                    if (info.has(kDeth)) {
                        CHECK(packet->qkey == fields.qkey);
                        CHECK(packet->source_qp == fields.source_qp);
                    }
                    if (info.has(kAtomicEth)) {
                        CHECK(packet->address == fields.address);
                        CHECK(packet->rkey == fields.rkey);
                        CHECK(packet->swap_or_add == fields.swap_or_add);
                        CHECK(packet->compare == fields.compare);
                    }
                    if (info.has(kAtomicAckEth)) CHECK(packet->original == fields.original);
                    if (info.has(kIeth)) CHECK(packet->invalidate_key == fields.invalidate_key);
                    if (info.has(kFeth)) {
                        CHECK(packet->flush_placement == fields.flush_placement);
                        CHECK(packet->flush_level == fields.flush_level);
                    }
                    REQUIRE(packet->payload.size() == bytes);
                    for (std::size_t i = 0; i < bytes; ++i)
                        if (packet->payload[i] != static_cast<std::byte>(i + 1))
                            FAIL("payload at " << i);
                }
    }
}

TEST_CASE("headers of atomics, invalidation and flush lie as the specification has them") {
    const auto at = [](Opcode opcode, std::size_t offset, std::size_t size) {
        const Bytes frame = make_frame(make_path(true, false), make_fields(opcode), 0);
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i)
            value = value << 8 | static_cast<unsigned>(frame[kBth + 12 + offset + i]);
        return value;
    };
    CHECK(at(kCompareSwap, 0, 8) == 0x1122334455667788);   // address
    CHECK(at(kCompareSwap, 8, 4) == 0x99aabbcc);           // R_Key
    CHECK(at(kCompareSwap, 12, 8) == 0x0102030405060708);  // swap
    CHECK(at(kCompareSwap, 20, 8) == 0x1112131415161718);  // compare
    CHECK(at(kAtomicAcknowledge, 4, 8) == 0x2122232425262728);
    CHECK(at(kSendOnlyInvalidate, 0, 4) == 0x31323334);
    CHECK(at(kFlush, 0, 4) == 0x11);  // level 1: the region; placement 1: global
    CHECK(at(kFlush, 4, 8) == 0x1122334455667788);
}

TEST_CASE("the headers on the wire are those of the specification") {
    const Bytes frame = send_frame(5);
    REQUIRE(frame.size() == 14 + 20 + 8 + 12 + 8 + 4);
    const auto octet = [&](std::size_t at) { return static_cast<unsigned>(frame[at]); };
    CHECK(octet(12) == 0x08);
    CHECK(octet(kIp) == 0x45);
    CHECK(octet(kIp + 1) == 0x28);
    CHECK(octet(kIp + 6) == 0x40);  // don't fragment
    CHECK(octet(kIp + 8) == 33);
    CHECK(octet(kIp + 9) == 17);
    CHECK((octet(kUdp + 2) << 8 | octet(kUdp + 3)) == 4791);
    CHECK((octet(kUdp + 6) << 8 | octet(kUdp + 7)) == 0);  // no UDP checksum
    CHECK(octet(kBth) == 0x04);
    CHECK((octet(kBth + 1) >> 4 & 3) == 3);  // 5 bytes and 3 of padding
    CHECK(octet(kBth + 5) == 0x12);
    CHECK(octet(kBth + 9) == 0xab);
    CHECK(octet(kBth + 12 + 5) == 0);  // padding is zeros
}

TEST_CASE("padding of short Ethernet frames is ignored") {
    Bytes frame = send_frame(0);
    frame.resize(64, std::byte{0xaa});
    const auto packet = parse(frame);
    REQUIRE(packet.has_value());
    CHECK(packet->payload.empty());
}

TEST_CASE("a frame cut anywhere is refused") {
    for (const bool ipv4 : {true, false})
        for (const bool vlan : {true, false}) {
            const Bytes whole = send_frame(8, ipv4, vlan);
            for (std::size_t size = 0; size < whole.size(); ++size) {
                CAPTURE(ipv4, vlan, size);
                error_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
            }
        }
}

TEST_CASE("a packet that ends within its headers is refused, for every opcode") {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        const OpcodeInfo& info = opcode_info(static_cast<std::uint8_t>(opcode));
        if (info.operation == Operation::none) continue;
        // Consistent lengths and ICRC: only the opcode asks for more.
        for (std::size_t body = 0; body + 12 < info.header_bytes; body += 4) {
            Bytes frame = send_frame(static_cast<std::uint32_t>(body));
            frame[kBth] = static_cast<std::byte>(opcode);
            fix_icrc(frame);
            CAPTURE(info.name, body);
            CHECK(error_of(frame) == ParseError::too_short);
        }
    }
}

TEST_CASE("one thing wrong is refused, and it is said what") {
    Bytes frame = send_frame();
    REQUIRE(parse(frame).has_value());

    SECTION("any payload bit") {
        frame[kBth + 14] ^= std::byte{1};
        CHECK(error_of(frame) == ParseError::bad_icrc);
    }
    SECTION("the ICRC") {
        frame.back() ^= std::byte{1};
        CHECK(error_of(frame) == ParseError::bad_icrc);
    }
    SECTION("IPv4 checksum") {
        frame[kIp + 10] ^= std::byte{1};
        CHECK(error_of(frame) == ParseError::bad_checksum);
    }
    SECTION("not IP") {
        put16(frame, 12, 0x0806);
        CHECK(error_of(frame) == ParseError::not_ip);
    }
    SECTION("IP options") {
        frame[kIp] = std::byte{0x46};
        fix_ipv4_checksum(frame);
        CHECK(error_of(frame) == ParseError::not_ip);
    }
    SECTION("a fragment") {
        frame[kIp + 6] = std::byte{0x20};
        fix_ipv4_checksum(frame);
        CHECK(error_of(frame) == ParseError::not_ip);
    }
    SECTION("TCP") {
        frame[kIp + 9] = std::byte{6};
        fix_ipv4_checksum(frame);
        CHECK(error_of(frame) == ParseError::not_ip);
    }
    SECTION("IP length past the frame") {
        put16(frame, kIp + 2, frame.size());
        fix_ipv4_checksum(frame);
        CHECK(error_of(frame) == ParseError::bad_length);
    }
    SECTION("IP length shorter than its header") {
        put16(frame, kIp + 2, 19);
        fix_ipv4_checksum(frame);
        CHECK(error_of(frame) == ParseError::bad_length);
    }
    SECTION("UDP length that is not that of the IP packet") {
        put16(frame, kUdp + 4, frame.size() - kUdp - 4);
        CHECK(error_of(frame) == ParseError::bad_length);
    }
    SECTION("another port") {
        put16(frame, kUdp + 2, 4792);
        CHECK(error_of(frame) == ParseError::not_roce);
    }
    SECTION("transport header version") {
        frame[kBth + 1] |= std::byte{1};
        fix_icrc(frame);
        CHECK(error_of(frame) == ParseError::bad_header);
    }
    SECTION("unknown opcode") {
        frame[kBth] = std::byte{0x1f};
        fix_icrc(frame);
        CHECK(error_of(frame) == ParseError::bad_opcode);
    }
    SECTION("an opcode of reliable datagrams") {
        frame[kBth] = std::byte{0x44};
        fix_icrc(frame);
        CHECK(error_of(frame) == ParseError::bad_opcode);
    }
    SECTION("more padding than payload") {
        Bytes empty = send_frame(0);
        empty[kBth + 1] |= std::byte{0x30};
        fix_icrc(empty);
        CHECK(error_of(empty) == ParseError::bad_header);
    }
}

TEST_CASE("a UDP checksum that is given must be right") {
    Bytes frame = send_frame();
    // Pseudo header: addresses, protocol, length; then the datagram.
    const std::size_t length = frame.size() - kUdp;
    std::uint32_t sum = internet_sum(std::span(frame).subspan(kIp + 12, 8));
    sum += 17 + static_cast<std::uint32_t>(length);
    const auto checksum = internet_checksum(internet_sum(std::span(frame).subspan(kUdp), sum));
    put16(frame, kUdp + 6, checksum);
    CHECK(parse(frame).has_value());
    put16(frame, kUdp + 6, checksum ^ 1u);
    CHECK(error_of(frame) == ParseError::bad_checksum);
}
