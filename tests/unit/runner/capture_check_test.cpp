// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/capture_check.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "suites/capture_file.h"
#include "unit/catch.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner {
namespace {

std::vector<std::uint8_t> bytes(std::string_view hex) {
    std::vector<std::uint8_t> all;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        all.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return all;
}

// An RC SEND of 21 bytes between two rdma_rxe, as filter-dump captured it.
constexpr std::string_view rxe_packet =
    "525400770001525400770002080045000044dfa140004011466b0a4d00020a4d0001c12112b70030"
    "00000430ffff000000118091e4e77b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b0000009326"
    "c5ab";

}  // namespace

TEST_CASE("the ICRC of a packet that rdma_rxe sent is right") {
    CHECK(judge_icrc(bytes(rxe_packet)) == Icrc::right);
}

TEST_CASE("what routers change leaves the ICRC right, anything else makes it wrong") {
    struct Row {
        std::size_t at;  // in the frame
        Icrc verdict;
    };
    const Row rows[] = {{0, Icrc::right},    // destination MAC address
                        {15, Icrc::right},   // TOS
                        {22, Icrc::right},   // TTL
                        {24, Icrc::right},   // IP checksum
                        {40, Icrc::right},   // UDP checksum
                        {46, Icrc::right},   // BTH resv8a
                        {30, Icrc::wrong},   // destination IP address
                        {42, Icrc::wrong},   // opcode
                        {53, Icrc::wrong}};  // PSN
    for (const auto& row : rows) {
        auto frame = bytes(rxe_packet);
        frame[row.at] ^= 0x40;
        INFO("byte " << row.at);
        CHECK(judge_icrc(frame) == row.verdict);
    }
}

TEST_CASE("a VLAN tag does not hide a packet, nor count in its ICRC") {
    auto frame = bytes(rxe_packet);
    const std::array<std::uint8_t, 4> tag = {0x81, 0x00, 0x00, 0x05};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    CHECK(judge_icrc(frame) == Icrc::right);
    frame.back() ^= 1;
    CHECK(judge_icrc(frame) == Icrc::wrong);
}

TEST_CASE("captures are read, in pcapng and in pcap, up to where they were cut off") {
    constexpr std::string_view section =
        "0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"
        "01000000140000000100000000000000"
        "14000000";
    constexpr std::string_view packet =
        "060000003000000000000000040000000700000003000000030000006162630002000400"
        "0200000000000000"
        "30000000";
    constexpr std::string_view pcap =
        "d4c3b2a1020004000000000000000000ffff000001000000"
        "0100000002000000030000000300000061626361";
    const auto read = [](const std::string& hex) {
        const auto content = bytes(hex);
        const testing::ScratchFolder folder;
        return CaptureFile::read(
            folder.write("capture", std::string(content.begin(), content.end())));
    };
    const auto good = read(std::string(section) + std::string(packet) + std::string(packet));
    REQUIRE(good);
    REQUIRE(good->frames().size() == 2);
    const auto& frame = good->frames()[1];
    CHECK(std::string(frame.bytes.begin(), frame.bytes.end()) == "abc");
    CHECK(frame.nanoseconds == (4ull << 32 | 7));
    CHECK(frame.direction == CaptureFile::Direction::out);
    const auto cut = read(std::string(section) + std::string(packet.substr(0, packet.size() - 2)));
    REQUIRE(cut);
    CHECK(cut->frames().empty());
    const auto other = read(std::string(pcap));
    REQUIRE(other);
    REQUIRE(other->frames().size() == 1);
    CHECK(other->frames()[0].bytes.size() == 3);
    CHECK(other->frames()[0].nanoseconds == 1'000'002'000);
    CHECK_FALSE(read("00112233445566778899aabbccddeeff00112233445566778899aabb"));
}

TEST_CASE("what is no RoCEv2 is not judged, what is cut is wrong or not judged") {
    auto frame = bytes(rxe_packet);
    frame[37] ^= 1;  // destination port
    CHECK(judge_icrc(frame) == Icrc::not_roce);
    for (std::size_t size = 0; size < bytes(rxe_packet).size(); ++size) {
        auto cut = bytes(rxe_packet);
        cut.resize(size);
        CHECK(judge_icrc(cut) != Icrc::right);
    }
}

}  // namespace vrnic::runner
