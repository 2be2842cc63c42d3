// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/catch_xml.h"

#include "unit/catch.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner {
namespace {

constexpr const char* begin = R"(<?xml version="1.0" encoding="UTF-8"?>
<Catch name="t"><Group name="t">
<TestCase name="good" filename="a.cpp" line="1">
 <Section name="s" filename="a.cpp" line="2"><OverallResults successes="1" failures="0"/></Section>
 <OverallResult success="true" durationInSeconds="0.5"/>
</TestCase>
<TestCase name="bad" filename="a.cpp" line="5">
 <Expression success="false" type="CHECK" filename="a.cpp" line="7">
  <Original> a &lt; b </Original><Expanded> 2 &lt; 1 </Expanded>
 </Expression>
)";
constexpr const char* end = R"( <OverallResult success="false" durationInSeconds="0.1"/>
</TestCase></Group></Catch>)";

}  // namespace

TEST_CASE("Catch2's report is read while it grows") {
    testing::ScratchFolder folder;
    std::vector<CatchCase> cases;
    CatchXml reader([&](CatchCase one) { cases.push_back(std::move(one)); });
    reader.read_more(folder.file("none"));
    const auto file = folder.write("report", begin);
    reader.read_more(file);
    REQUIRE(cases.size() == 1);
    CHECK(cases[0].name == "good");
    CHECK(cases[0].passed);
    CHECK(cases[0].time.count() == 0.5);
    CHECK(reader.running() == "bad");
    CHECK_FALSE(reader.finished());

    folder.write("report", end);
    reader.read_more(file);
    REQUIRE(cases.size() == 2);
    CHECK_FALSE(cases[1].passed);
    CHECK(cases[1].message == "a.cpp:7: a < b\n  with 2 < 1");
    CHECK(reader.finished());
    CHECK(reader.running().empty());
    CHECK(reader.failures() == 1);
}

}  // namespace vrnic::runner
