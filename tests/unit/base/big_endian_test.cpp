// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/big_endian.h"

#include "unit/catch.h"

using namespace vrnic;

TEST_CASE("big-endian fields put the most significant octet first") {
    Be16 a;
    a = 0x1234;
    CHECK(a.octets == std::array<std::uint8_t, 2>{0x12, 0x34});
    Be24 b;
    b = 0xff123456;  // the fourth octet has no place
    CHECK(b.octets == std::array<std::uint8_t, 3>{0x12, 0x34, 0x56});
    CHECK(b == 0x123456u);
    Be64 c;
    c = 0x0102030405060708u;
    CHECK(c.octets[0] == 1);
    CHECK(c == 0x0102030405060708u);
    static_assert(alignof(Be64) == 1);
}
