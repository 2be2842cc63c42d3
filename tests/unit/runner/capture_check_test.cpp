// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/capture_check.h"

#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.h"

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
