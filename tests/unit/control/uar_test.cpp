// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/uar.h"

#include "unit/catch.h"
#include "vrnic_regs.h"

using namespace vrnic;

TEST_CASE("a doorbell is decoded, a bad one refused") {
    UarTable uars(4, 12);
    REQUIRE(uars.alloc().value() == 1);

    const auto good = uars.decode(0x1000, VRNIC_DB_TYPE_CQ_ARM << VRNIC_DB_TYPE_SHIFT | 0xabcdef, 8);
    REQUIRE(good);
    CHECK(good->slot == 1);
    CHECK(good->type == VRNIC_DB_TYPE_CQ_ARM);
    CHECK(good->number == 0xabcdef);
    CHECK(uars.decode(0, 0, 8)->slot == 0);

    struct Case {
        const char* what;
        std::uint64_t offset, value;
        unsigned size;
    };
    const std::vector<Case> cases = {
        {"4 bytes", 0x1000, 0, 4},
        {"1 byte", 0x1000, 0, 1},
        {"not at the slot's beginning", 0x1008, 0, 8},
        {"misaligned", 0x1004, 0, 8},
        {"slot not allocated", 0x2000, 0, 8},
        {"slot past the end", 0x4000, 0, 8},
        {"slot far past the end", ~0xfffull, 0, 8},
        {"bit 28", 0x1000, 1u << 28, 8},
        {"bit 32", 0x1000, 1ull << 32, 8},
        {"bit 63", 0x1000, 1ull << 63, 8},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        CHECK_FALSE(uars.decode(c.offset, c.value, c.size));
    }
}

TEST_CASE("doorbell slots: the driver's is always there, the others are handed out") {
    UarTable uars(3, 12);
    CHECK(uars.exists(0));
    CHECK_FALSE(uars.exists(1));
    CHECK(uars.alloc().value() == 1);
    CHECK(uars.alloc().value() == 2);
    CHECK(uars.alloc().error().status == VRNIC_STATUS_LIMIT);
    CHECK(uars.free(1, 1).error().status == VRNIC_STATUS_BUSY);
    CHECK(uars.free(1, 0));
    CHECK(uars.free(1, 0).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(uars.free(0, 0).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(uars.free(3, 0).error().status == VRNIC_STATUS_NO_OBJECT);
    uars.reset();
    CHECK_FALSE(uars.exists(2));
}
