// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/timers.h"

#include <map>
#include <vector>

#include "base/random.h"
#include "unit/catch.h"

using namespace vrnic;

TEST_CASE("timers come in the order of their deadlines, of equals the lowest index first") {
    Timers timers(8);
    timers.set(5, 100);
    timers.set(2, 100);
    timers.set(7, 50);
    CHECK(timers.next() == 50);
    CHECK_FALSE(timers.pop_due(49));
    CHECK(timers.pop_due(100)->index == 7u);
    CHECK(timers.pop_due(100)->index == 2u);
    CHECK(timers.pop_due(100)->index == 5u);
    CHECK_FALSE(timers.pop_due(1000));
    CHECK(timers.next() == kNever);
}

TEST_CASE("a timer that was moved or stopped does not come early") {
    Timers timers(4);
    timers.set(0, 10);
    timers.set(1, 20);
    timers.set(0, 30);  // later
    timers.set(1, 15);  // earlier
    CHECK(timers.pop_due(15)->index == 1u);
    CHECK_FALSE(timers.pop_due(29));
    CHECK(timers.running(0));
    timers.cancel(0);
    CHECK_FALSE(timers.running(0));
    CHECK_FALSE(timers.pop_due(100));
    timers.set(0, 200);
    CHECK(timers.pop_due(200)->index == 0u);
}

TEST_CASE("timers agree with a plain model under random use") {
    constexpr std::uint32_t kCount = 37;
    Timers timers(kCount);
    std::map<std::uint32_t, Nanoseconds> model;
    Random random(4);
    Nanoseconds now = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto index = static_cast<std::uint32_t>(random.next() % kCount);
        switch (random.next() % 4) {
            case 0:
            case 1: {
                const Nanoseconds deadline = now + random.next() % 1000;
                timers.set(index, deadline);
                model[index] = deadline;
                break;
            }
            case 2:
                timers.cancel(index);
                model.erase(index);
                break;
            default:
                now += random.next() % 300;
                for (const auto& [_, deadline] : model) CHECK(timers.next() <= deadline);
                std::map<std::pair<Nanoseconds, std::uint32_t>, int> due;
                for (const auto& [at, deadline] : model)
                    if (deadline <= now) due[{deadline, at}] = 0;
                std::size_t seen = 0;
                while (const auto popped = timers.pop_due(now)) {
                    REQUIRE(model.contains(popped->index));
                    REQUIRE(model[popped->index] == popped->deadline);
                    model.erase(popped->index);
                    ++seen;
                }
                REQUIRE(seen == due.size());
        }
    }
}
