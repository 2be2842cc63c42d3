// SPDX-License-Identifier: GPL-2.0-or-later
// The simulator's own pieces.
#include "unit/catch.h"
#include "wire.h"
#include "world.h"

using namespace vrnic::sim;

TEST_CASE("events of one time run in the order they were made", "[simulator]") {
    World world;
    std::vector<int> order;
    world.after(10, [&] { order.push_back(2); });
    world.after(5, [&] { order.push_back(1); });
    world.after(10, [&] { order.push_back(3); });
    const auto cancelled = world.after(7, [&] { order.push_back(99); });
    world.cancel(cancelled);
    CHECK(world.run_until([&] { return order.size() == 3; }, 10));
    CHECK(order == std::vector{1, 2, 3});
    CHECK_FALSE(world.run_until([&] { return order.size() == 4; }, kSecond));
}
