// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/expected_skips.h"

#include <fmt/format.h>

#include "unit/catch.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner {
namespace {

const std::vector<ExpectedSkip> expected{{"test_odp.*", "not supported", "there is no ODP"},
                                         {"test_mr.dm", "no memory", "there is no DM"}};

}  // namespace

TEST_CASE("a skip is allowed only as the list has it") {
    const auto judged = judge_skips({{"test_odp.rc", Outcome::skipped, "ODP is not supported"},
                                     {"test_mr.dm", Outcome::skipped, "no memory of that kind"},
                                     {"test_mr.dmx", Outcome::skipped, "no memory of that kind"},
                                     {"test_odp.ud", Outcome::skipped, "Bad weather"},
                                     {"test_qp.rc", Outcome::passed, ""},
                                     {"test_qp.ud", Outcome::failed, "wrong"}},
                                    expected);
    REQUIRE(judged.size() == 6);
    CHECK(judged[0].outcome == Outcome::skipped);
    CHECK(judged[0].message == "there is no ODP");
    CHECK(judged[1].outcome == Outcome::skipped);
    CHECK(judged[2].outcome == Outcome::failed);
    CHECK(judged[3].outcome == Outcome::failed);
    CHECK(judged[3].message == "skipped, which no list allows: Bad weather");
    CHECK(judged[4].outcome == Outcome::passed);
    CHECK(judged[5].outcome == Outcome::failed);
    CHECK(judged[5].message == "wrong");
}

TEST_CASE("an entry that nothing needs fails") {
    const auto judged = judge_skips(
        {{"test_odp.rc", Outcome::skipped, "not supported"}, {"test_mr.dm", Outcome::passed, ""}},
        expected);
    REQUIRE(judged.size() == 3);
    CHECK(judged[2].name == "list of skips: test_mr.dm");
    CHECK(judged[2].outcome == Outcome::failed);
}

TEST_CASE("a list of skips needs reasons") {
    const testing::ScratchFolder folder;
    const auto good = load_expected_skips(
        folder.write("good", R"([{"reason": "a", "says": "b", "tests": ["c", "d.*"]}])"));
    REQUIRE(good);
    CHECK(good->size() == 2);
    CHECK((*good)[1].tests == "d.*");
    int number = 0;
    for (const char* bad :
         {"", "{}", R"([{"says": "b", "tests": ["c"]}])", R"([{"reason": "a", "tests": ["c"]}])",
          R"([{"reason": "a", "says": "b"}])"}) {
        INFO(bad);
        CHECK_FALSE(load_expected_skips(folder.write(fmt::format("bad{}", number++), bad)));
    }
    CHECK_FALSE(load_expected_skips("/nonexistent"));
}

}  // namespace vrnic::runner
