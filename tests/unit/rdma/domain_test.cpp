// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/domain.h"

#include "unit/catch.h"

using vrnic::DomainTable;

TEST_CASE("protection domains are limited, and stay while they are used") {
    DomainTable table(2);
    const std::uint32_t a = table.alloc().value();
    const std::uint32_t b = table.alloc().value();
    CHECK(a != b);
    CHECK(table.alloc().error().status == VRNIC_STATUS_LIMIT);
    CHECK(table.exists(a));
    CHECK_FALSE(table.exists(77));
    CHECK(table.dealloc(a, 1).error().status == VRNIC_STATUS_BUSY);
    CHECK(table.dealloc(a, 0));
    CHECK(table.dealloc(a, 0).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(table.dealloc(77, 0).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(table.alloc());
    table.reset();
    CHECK_FALSE(table.exists(b));
}
