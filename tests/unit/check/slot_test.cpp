// SPDX-License-Identifier: GPL-2.0-or-later
// vrnic-check finds each wrong byte: the check of the checker.
#include "slot.h"

#include <algorithm>
#include <vector>

#include "pattern.h"
#include "unit/catch.h"

using namespace vrnic::check;

TEST_CASE("a pattern is the same in one piece and in many") {
    const Pattern pattern(42);
    std::vector<std::byte> whole(1000), parts(1000);
    pattern.fill(whole, 0);
    for (size_t at = 0, step = 1; at < parts.size(); at += step, step = step % 13 + 1)
        pattern.fill(std::span(parts).subspan(at, std::min(step, parts.size() - at)), at);
    CHECK(whole == parts);
    CHECK_FALSE(pattern.compare(whole, 0));
    CHECK(pattern.compare(whole, 1));
    CHECK(Pattern(43).compare(whole, 0));
    // Few bytes of two patterns agree by chance.
    CHECK(Pattern(43).compare(whole, 0)->count > 950);
}

TEST_CASE("a mismatch says where and how many") {
    const Pattern pattern(7);
    std::vector<std::byte> data(10000);
    pattern.fill(data, 500);
    data[4097] ^= std::byte{1};
    data[9999] ^= std::byte{0x80};
    const auto mismatch = pattern.compare(data, 500);
    REQUIRE(mismatch);
    CHECK(mismatch->position == 4097);
    CHECK(mismatch->count == 2);
    CHECK(mismatch->found == data[4097]);
    CHECK(mismatch->expected == (data[4097] ^ std::byte{1}));
}

TEST_CASE("slot layouts") {
    for (uint32_t size : {0u, 1u, 2u, 3u, 5u, 64u, 4097u, 70001u})
        for (uint32_t pieces : {1u, 2u, 4u})
            for (uint64_t key = 0; key < 50; ++key) {
                const auto layout = SlotLayout::plan(size, pieces, key);
                REQUIRE(layout.pieces.size() <= pieces);
                REQUIRE(layout.size <= SlotLayout::largest(size, pieces));
                uint32_t end = 0, total = 0;
                for (const auto& piece : layout.pieces) {
                    REQUIRE(piece.length > 0);
                    REQUIRE(piece.offset >= (total == 0 ? 64 : end + 1));
                    end = piece.offset + piece.length;
                    total += piece.length;
                }
                REQUIRE(total == size);
                REQUIRE(layout.size >= end + 64);
                if (size > 4) REQUIRE(layout.pieces.size() == pieces);
            }
}

TEST_CASE("every wrong byte of a slot is seen") {
    const uint32_t size = 37;
    const auto layout = SlotLayout::plan(size, 3, 5);
    std::vector<std::byte> bytes(layout.size);
    Slot slot(bytes, layout, 99);
    const Pattern message(1);
    slot.fill_background();
    CHECK(slot.verify(message));  // no message there
    slot.fill_message(message);
    REQUIRE_FALSE(slot.verify(message));
    CHECK(slot.verify(Pattern(2)));
    for (auto& byte : bytes) {
        byte ^= std::byte{0x40};
        REQUIRE(slot.verify(message));
        byte ^= std::byte{0x40};
    }
    REQUIRE_FALSE(slot.verify(message));
}
