// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/host_cpus.h"

#include "unit/catch.h"

using namespace vrnic::runner;
using Cpus = std::vector<int>;

TEST_CASE("VMs share the host's processors only where these are scarce") {
    CHECK(share_of_cpus({0, 1, 2, 3}, 1, 2, 1).empty());  // a core for each thread
    CHECK(share_of_cpus({0, 1}, 1, 1, 4).empty());        // nobody to share with
    CHECK(share_of_cpus({}, 1, 2, 1).empty());            // not known

    CHECK(share_of_cpus({0, 1}, 1, 2, 1) == Cpus{0});
    CHECK(share_of_cpus({0, 1}, 2, 2, 1) == Cpus{1});
    CHECK(share_of_cpus({2, 3, 6}, 1, 2, 1) == Cpus{2});
    CHECK(share_of_cpus({2, 3, 6}, 2, 2, 1) == Cpus{3, 6});
    CHECK(share_of_cpus({0, 1, 2, 3}, 2, 2, 2) == Cpus{2, 3});

    CHECK(share_of_cpus({4, 5}, 3, 3, 1) == Cpus{4});  // fewer cores than VMs
}

TEST_CASE("this process may run somewhere") {
    CHECK_FALSE(allowed_cpus().empty());
}
