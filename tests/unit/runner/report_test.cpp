// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/report.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "suites/selection.h"
#include "unit/catch.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner {

TEST_CASE("results are counted and written for machines") {
    testing::ScratchFolder folder;
    Report report;
    report.add({"unit", "good", Outcome::passed, {}, ""});
    report.add({"unit", "bad <&>", Outcome::failed, {}, "a < b\nmore \x01"});
    report.add({"system", "left out", Outcome::skipped, {}, "for a reason"});
    CHECK(report.count(Outcome::passed) == 1);
    CHECK(report.count(Outcome::failed) == 1);
    CHECK(report.count(Outcome::skipped) == 1);
    REQUIRE(report.write_junit(folder.file("junit.xml")));
    REQUIRE(report.write_json(folder.file("all.json")));
    CHECK_FALSE(report.write_json(folder.file("no/such/folder.json")));

    std::ifstream xml(folder.file("junit.xml"));
    const std::string text(std::istreambuf_iterator<char>(xml), {});
    CHECK(text.find("bad &lt;&amp;&gt;") != std::string::npos);
    CHECK(text.find('\x01') == std::string::npos);
    std::ifstream json(folder.file("all.json"));
    CHECK(nlohmann::json::parse(json)["failed"] == 1);
}

TEST_CASE("cases are chosen by suite and part of their names, skipped ones excepted") {
    const Selection all({}, {{"unit/slow one", "too slow"}});
    CHECK(all.has_suite("sim"));
    CHECK_FALSE(all.has_suite("soak"));  // only when it is asked for
    CHECK(Selection({"soak"}, {}).has_suite("soak"));
    CHECK(all.has_case("unit", "fast one"));
    CHECK_FALSE(all.has_case("unit", "slow one"));
    CHECK_FALSE(all.has_all_of("unit"));
    CHECK(all.has_all_of("sim"));
    CHECK(all.skipped().size() == 1);

    const Selection some({"unit", "system/loss: every"}, {{"sim/x", "y"}});
    CHECK_FALSE(some.has_suite("sim"));
    CHECK(some.has_all_of("unit"));
    CHECK(some.has_case("system", "1 % loss: every byte"));
    CHECK_FALSE(some.has_case("system", "1 % loss: counted"));
    CHECK(some.skipped().empty());
}

}  // namespace vrnic::runner
