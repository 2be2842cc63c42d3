// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/psn.h"

#include "unit/catch.h"

using vrnic::Psn;

TEST_CASE("Psn wraps at 24 bits and keeps its order there") {
    CHECK((Psn(0xffffff) + 1) == Psn(0));
    CHECK(Psn(0xffffff).before(Psn(0)));
    CHECK(Psn(0).after(Psn(0xffffff)));
    CHECK(Psn(2) - Psn(0xfffffe) == 4);
    CHECK(Psn(0xfffffe) - Psn(2) == -4);
    CHECK(Psn(5) - Psn(5) == 0);
    CHECK(Psn(0x1000001) == Psn(1));
}
