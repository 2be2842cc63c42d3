// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/ready_list.h"

#include "unit/catch.h"

using namespace vrnic;

TEST_CASE("ready ones come once, in the order in which they became ready") {
    ReadyList list(3);
    CHECK(list.empty());
    list.push(2);
    list.push(0);
    list.push(2);
    CHECK(list.size() == 2);
    CHECK(list.pop() == 2);
    list.push(2);
    list.push(1);
    CHECK(list.size() == 3);
    CHECK(list.pop() == 0);
    CHECK(list.pop() == 2);
    CHECK(list.pop() == 1);
    CHECK(list.empty());
    list.push(1);
    list.clear();
    CHECK(list.empty());
    list.push(1);
    CHECK(list.pop() == 1);
}

TEST_CASE("one that did not get what it came for keeps its place") {
    ReadyList list(3);
    list.push(0);
    list.push(1);
    CHECK(list.at(0) == 0);
    CHECK(list.at(1) == 1);
    list.push_front(list.pop());
    list.push_front(1);  // is there
    CHECK(list.size() == 2);
    CHECK(list.pop() == 0);
    CHECK(list.pop() == 1);
    list.push_front(2);
    CHECK(list.pop() == 2);
    CHECK(list.empty());
}
