// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/ktap.h"

#include "unit/catch.h"

namespace vrnic::runner {
namespace {

struct Row {
    const char* text;
    std::vector<KtapResult> results;
};

const std::vector<Row> rows{
    {"KTAP version 1\n1..4\nok 1 open\nok 2 - close # SKIP no device\nnot ok 3 read\n"
     "not ok 4 write # TIMEOUT 45 seconds\n",
     {{"open", Outcome::passed, ""},
      {"close", Outcome::skipped, "no device"},
      {"read", Outcome::failed, "not ok"},
      {"write", Outcome::failed, "TIMEOUT 45 seconds\n"}}},
    // Remarks belong to the result behind them.
    {"TAP version 13\n# expected 1\n# got 2\nnot ok 1 sum\nok 2 difference\n1..2\n",
     {{"sum", Outcome::failed, "expected 1\ngot 2\n"}, {"difference", Outcome::passed, ""}}},
    // KUnit's nesting.
    {"KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: list\n    1..2\n    ok 1 add\n"
     "    not ok 2 remove\nnot ok 1 list\n",
     {{"list: add", Outcome::passed, ""},
      {"list: remove", Outcome::failed, "not ok"},
      {"list", Outcome::failed, "not ok"}}},
    {"ok 1 known bug # XFAIL fails as it has to\nnot ok 2 later # TODO not written\n",
     {{"known bug", Outcome::passed, ""}, {"later", Outcome::skipped, "not written"}}},
    {"1..0 # SKIP no RDMA device\n", {{"KTAP", Outcome::skipped, "no RDMA device"}}},
    // What broke off never looks good.
    {"1..3\nok 1 a\nok 2 b\n",
     {{"a", Outcome::passed, ""},
      {"b", Outcome::passed, ""},
      {"KTAP", Outcome::failed, "the plan says 3 results, and there were 2"}}},
    {"ok 1 a\nBail out! no memory\n",
     {{"a", Outcome::passed, ""}, {"KTAP", Outcome::failed, "the test gave up: no memory"}}},
    {"okay, we begin\n", {{"KTAP", Outcome::failed, "the output has no KTAP result"}}},
    {"", {{"KTAP", Outcome::failed, "the output has no KTAP result"}}},
};

}  // namespace

TEST_CASE("KTAP lines become results") {
    for (const auto& row : rows) {
        INFO(row.text);
        const auto found = read_ktap(row.text);
        REQUIRE(found.size() == row.results.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            CHECK(found[i].name == row.results[i].name);
            CHECK(found[i].outcome == row.results[i].outcome);
            CHECK(found[i].message == row.results[i].message);
        }
    }
}

TEST_CASE("KTAP is known by its version line") {
    CHECK(looks_like_ktap("some noise\nKTAP version 1\n"));
    CHECK(looks_like_ktap("TAP version 13\n"));
    CHECK_FALSE(looks_like_ktap("ok, it says KTAP version\n"));
}

}  // namespace vrnic::runner
