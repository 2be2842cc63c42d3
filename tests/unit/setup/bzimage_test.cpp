// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/bzimage.h"

#include <algorithm>

#include "unit/catch.h"

namespace vrnic::setup {
namespace {

constexpr std::size_t payload_at = 0x400;

std::vector<std::uint8_t> image(std::string_view magic, std::uint8_t length) {
    std::vector<std::uint8_t> bytes(payload_at + length);
    bytes[0x1f1] = 1;  // setup sectors: the protected-mode part begins at 2 * 512
    std::ranges::copy(std::string_view("HdrS"), bytes.begin() + 0x202);
    bytes[0x24c] = length;
    std::ranges::copy(magic, bytes.begin() + payload_at);
    return bytes;
}

}  // namespace

TEST_CASE("the payload of each compression, without what the kernel's build appends") {
    using namespace std::string_view_literals;
    struct Row {
        std::string_view magic;
        std::string_view suffix;
        std::size_t trailer;
    };
    const auto row =
        GENERATE(Row{"\x28\xb5\x2f\xfd"sv, ".zst", 4},
                 Row{"\xfd"
                     "7zXZ"sv,
                     ".xz", 4},
                 Row{"\x02\x21\x4c\x18"sv, ".lz4", 4}, Row{"\x1f\x8b\x08"sv, ".gz", 0});
    const auto bytes = image(row.magic, 64);
    const auto payload = kernel_payload(bytes);
    REQUIRE(payload);
    CHECK(payload->suffix == row.suffix);
    CHECK(payload->bytes.data() == bytes.data() + payload_at);
    CHECK(payload->bytes.size() == 64 - row.trailer);
}

TEST_CASE("what is no kernel is refused") {
    CHECK_FALSE(kernel_payload({}));
    auto bytes = image("\x1f\x8b\x08", 64);
    CHECK(kernel_payload(bytes));
    SECTION("cut short") {
        bytes.resize(payload_at + 10);
    }
    SECTION("no magic") {
        bytes[0x202] = 'x';
    }
    SECTION("payload outside") {
        bytes[0x24b] = 0xff;
    }
    SECTION("unknown compression") {
        bytes[payload_at] = 0;
    }
    CHECK_FALSE(kernel_payload(bytes));
}

}  // namespace vrnic::setup
