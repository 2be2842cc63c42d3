// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/id_pool.h"

#include "unit/catch.h"

using vrnic::IdPool;

TEST_CASE("IdPool gives every number once, then none") {
    IdPool pool(5, 3);
    CHECK(pool.take() == 5u);
    CHECK(pool.take() == 6u);
    CHECK(pool.take() == 7u);
    CHECK_FALSE(pool.take());
}

TEST_CASE("IdPool gives a freed number last") {
    IdPool pool(0, 3);
    CHECK(pool.take() == 0u);
    pool.give_back(0);
    CHECK(pool.take() == 1u);
    CHECK(pool.take() == 2u);
    CHECK(pool.take() == 0u);
}

TEST_CASE("IdPool gives freed numbers in the order they were freed") {
    IdPool pool(0, 4);
    for (int i = 0; i < 4; ++i) REQUIRE(pool.take());
    for (const std::uint32_t id : {2u, 0u, 3u}) pool.give_back(id);
    CHECK(pool.take() == 2u);
    pool.give_back(1);
    CHECK(pool.take() == 0u);
    CHECK(pool.take() == 3u);
    CHECK(pool.take() == 1u);
    CHECK_FALSE(pool.take());
    pool.give_back(3);
    CHECK(pool.take() == 3u);
}

TEST_CASE("IdPool knows which numbers are live") {
    IdPool pool(1, 2);
    CHECK_FALSE(pool.is_live(0));
    CHECK_FALSE(pool.is_live(1));
    CHECK(pool.take() == 1u);
    CHECK(pool.is_live(1));
    CHECK_FALSE(pool.is_live(2));
    CHECK_FALSE(pool.is_live(3));
    CHECK_FALSE(pool.is_live(~0u));
    pool.reset();
    CHECK_FALSE(pool.is_live(1));
    CHECK(pool.take() == 1u);
}

TEST_CASE("IdPool of no numbers") {
    IdPool pool(1, 0);
    CHECK_FALSE(pool.take());
    CHECK_FALSE(pool.is_live(1));
}
