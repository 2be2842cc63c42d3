// SPDX-License-Identifier: GPL-2.0-or-later
#include "roce/checksum.h"

#include <string_view>
#include <vector>

#include "unit/catch.h"

using namespace vrnic::roce;

namespace {

std::vector<std::byte> from_hex(std::string_view text) {
    std::vector<std::byte> out;
    int high = -1;
    for (char c : text) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) continue;
        if (high < 0) {
            high = digit;
        } else {
            out.push_back(static_cast<std::byte>(high << 4 | digit));
            high = -1;
        }
    }
    return out;
}

// A congestion notification packet as a ConnectX-4 Lx sent it, from its IP header to its ICRC.
const auto kCaptured = from_hex(
    "45c2 003c 718c 4000 4011 9161 0a00 1101 0a00 1201"
    "0000 12b7 0028 0000"
    "8100 ffff 4000 0118 0000 0000"
    "0000 0000 0000 0000 0000 0000 0000 0000"
    "82fd 002a");

std::uint32_t wire_icrc(const std::vector<std::byte>& ip) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value |= static_cast<std::uint32_t>(ip[ip.size() - 4 + i]) << (8 * i);
    return value;
}

std::uint32_t icrc_of(const std::vector<std::byte>& ip) {
    return icrc(std::span(ip).first(ip.size() - 4));
}

}  // namespace

TEST_CASE("the ICRC of a packet of real hardware") {
    CHECK(icrc_of(kCaptured) == wire_icrc(kCaptured));
}

TEST_CASE("the ICRC ignores what routers change, and nothing else") {
    struct Field {
        std::size_t at;
        bool covered;
    };
    // TOS, TTL, IPv4 checksum, UDP checksum and the congestion octet of the BTH.
    const std::vector<std::size_t> open = {1, 8, 10, 11, 26, 27, 32};
    for (std::size_t at = 0; at + 4 < kCaptured.size(); ++at) {
        if (at == 0) continue;  // says which IP this is
        auto changed = kCaptured;
        changed[at] ^= std::byte{0x5a};
        const bool ignored = std::find(open.begin(), open.end(), at) != open.end();
        CAPTURE(at);
        CHECK((icrc_of(changed) == wire_icrc(kCaptured)) == ignored);
    }
}

TEST_CASE("the ICRC over IPv6 ignores traffic class, flow label and hop limit") {
    std::vector<std::byte> ip(40 + 8 + 12 + 8 + 4);
    for (std::size_t i = 0; i < ip.size(); ++i) ip[i] = static_cast<std::byte>(i * 7);
    ip[0] = std::byte{0x60};
    const std::uint32_t right = icrc_of(ip);
    for (std::size_t at = 0; at + 4 < ip.size(); ++at) {
        auto changed = ip;
        changed[at] ^= at == 0 ? std::byte{0x0f} : std::byte{0x5a};
        const bool ignored = at <= 3 || at == 7 || at == 46 || at == 47 || at == 52;
        CAPTURE(at);
        CHECK((icrc_of(changed) == right) == ignored);
    }
}

TEST_CASE("internet checksum") {
    SECTION("the example of RFC 1071") {
        const auto data = from_hex("0001 f203 f4f5 f6f7");
        CHECK(internet_checksum(internet_sum(data)) == static_cast<std::uint16_t>(~0xddf2));
    }
    SECTION("a header with its checksum sums to zero") {
        const auto header = std::span(kCaptured).first(20);
        CHECK(internet_checksum(internet_sum(header)) == 0);
    }
    SECTION("odd length counts as padded") {
        CHECK(internet_sum(from_hex("0102 03")) == internet_sum(from_hex("0102 0300")));
    }
    SECTION("pieces add up") {
        const auto data = from_hex("ffff ffff 8000 0001 1234 5678");
        const auto whole = internet_checksum(internet_sum(data));
        const auto parts =
            internet_sum(std::span(data).subspan(4), internet_sum(std::span(data).first(4)));
        CHECK(internet_checksum(parts) == whole);
    }
}
