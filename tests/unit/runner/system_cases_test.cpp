// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/system_cases.h"

#include <algorithm>
#include <set>

#include "unit/catch.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner {
namespace {

using testing::ScratchFolder;

Result<std::vector<SystemGroup>> load(const char* text) {
    ScratchFolder folder;
    folder.write("a.json", text);
    return load_system_groups(folder.path(), {});
}

}  // namespace

TEST_CASE("a table may name the kernel that was asked for") {
    ScratchFolder folder;
    folder.write("a.json", R"({"groups": [
        {"name": "{kernel}", "for": {"kernel": ["default", "6.1"]}, "lab": {"kernel": "{kernel}"},
         "cases": [{"name": "c", "commands": ["true", "true"]}]}]})");
    LabOptions asked;
    asked.kernel = "debug";
    const auto groups = load_system_groups(folder.path(), asked);
    REQUIRE(groups);
    REQUIRE(groups->size() == 2);
    CHECK((*groups)[0].lab.kernel == "debug");
    CHECK((*groups)[1].lab.kernel == "6.1");
}

TEST_CASE("every value of a table's \"for\" makes a case") {
    const auto groups = load(R"({"groups": [{
        "name": "g {mtu}", "for": {"mtu": [1500, 9000]}, "lab": {"mtu": "{mtu}", "rxe": ["vm2"], "faults": ["vm1:drop,nth={mtu}"]},
        "cases": [{"name": "{op} {size}", "for": {"op": ["read", "write"], "size": [2, 4]},
                   "commands": ["serve {op} ${HOME}", "{op} {size} {mtu}"],
                   "expect": {"vm2": "{size}"}, "ktap": "vm2"}]}]})");
    REQUIRE(groups);
    REQUIRE(groups->size() == 2);
    CHECK((*groups)[1].lab.mtu == 9000);
    CHECK((*groups)[1].lab.rxe == std::vector<std::string>{"vm2"});
    CHECK((*groups)[1].lab.faults == std::vector<std::string>{"vm1:drop,nth=9000"});
    const auto& cases = (*groups)[1].cases;
    REQUIRE(cases.size() == 4);
    CHECK(cases[1].name == "g 9000: read 4");
    REQUIRE(cases[1].actions.size() == 3);
    CHECK(cases[1].actions[0].kind == Action::Kind::serve);
    CHECK(cases[1].actions[0].text == "serve read ${HOME}");
    CHECK(cases[1].actions[1].kind == Action::Kind::run);
    CHECK(cases[1].actions[1].text == "read 4 9000");
    CHECK(cases[1].actions[1].vm == 1);
    CHECK(cases[1].actions[2].kind == Action::Kind::finish);
    CHECK(cases[1].expect[0].pattern == "4");
    CHECK(cases[1].ktap == 1);
}

TEST_CASE("faults are set by an action") {
    const auto groups = load(R"({"groups": [{"name": "g", "cases": [{"name": "c",
        "actions": [{"faults": {"vm2": "drop,nth=3"}}, {"faults": {"vm2": ""}}]}]}]})");
    REQUIRE(groups);
    const auto& actions = (*groups)[0].cases[0].actions;
    REQUIRE(actions.size() == 2);
    CHECK(actions[0].kind == Action::Kind::faults);
    CHECK(actions[0].vm == 1);
    CHECK(actions[0].text == "drop,nth=3");
    CHECK(actions[1].text.empty());
}

TEST_CASE("an action may be for some of the cases only") {
    const auto groups = load(R"({"groups": [{"name": "g", "cases": [{"name": "{how}", "for": {"how": ["pull", "reset"]},
        "actions": [{"only": {"how": ["pull"]}, "unplug": "vm1"}, {"run": {"vm1": "{how}"}}]}]}]})");
    REQUIRE(groups);
    const auto& cases = (*groups)[0].cases;
    REQUIRE(cases.size() == 2);
    REQUIRE(cases[0].actions.size() == 2);
    CHECK(cases[0].actions[0].kind == Action::Kind::unplug);
    CHECK(cases[0].actions[1].text == "pull");
    REQUIRE(cases[1].actions.size() == 1);
    CHECK(cases[1].actions[0].text == "reset");
}

TEST_CASE("what runs only when its suite is named is left out of the short form") {
    auto groups = load(R"({"groups": [
        {"name": "a {mtu}", "for": {"mtu": [1, 2]}, "when_asked": {"mtu": [2]}, "cases": [{"name": "c", "commands": ["c"]}]},
        {"name": "b", "cases": [{"name": "{n}", "for": {"n": [1, 2]}, "when_asked": {"n": [1]}, "commands": ["c"]},
                                {"name": "d", "when_asked": true, "commands": ["c"]}]}]})");
    REQUIRE(groups);
    CHECK(groups->size() == 3);
    leave_out_when_asked(*groups);
    REQUIRE(groups->size() == 2);
    CHECK((*groups)[0].cases[0].name == "a 1: c");
    REQUIRE((*groups)[1].cases.size() == 1);
    CHECK((*groups)[1].cases[0].name == "b: 2");
}

TEST_CASE("a mistake in a table is named") {
    const std::pair<const char*, const char*> rows[] = {
        {R"({"groups": [{"name": "g", "cases": [{"name": "c"}]}]})", "without commands"},
        {R"({"groups": [{"name": "g", "cases": [{"name": "c", "comands": []}]}]})", "comands"},
        {R"({"groups": [{"name": "g", "lab": {"mut": 1}, "cases": []}]})", "mut"},
        {R"({"groups": [{"name": "g", "cases": [{"name": "c",
             "actions": [{"explode": "vm1"}]}]}]})",
         "explode"},
        {R"({"groups": [{"name": "g", "cases": [{"name": "c",
             "actions": [{"end": "vm9"}]}]}]})",
         "vm9"},
        {R"({"groups": [{"name": "g", "cases": [{"name": "c",
             "actions": [{"only": {"how": ["x"]}, "end": "vm1"}]}]}]})",
         "no \"how\""},
        {"{", "a.json"},
    };
    for (const auto& [text, part] : rows) {
        const auto groups = load(text);
        REQUIRE_FALSE(groups);
        INFO(groups.error().message);
        CHECK(groups.error().message.find(part) != std::string::npos);
    }
}

TEST_CASE("the project's own tables are right, and no two cases have one name") {
    const auto [suite, least] = GENERATE(table<std::string, std::size_t>({{"system", 100},
                                                                          {"verbs", 10},
                                                                          {"interop", 10},
                                                                          {"faults", 10},
                                                                          {"ulp", 10},
                                                                          {"uapi", 10},
                                                                          {"removal", 10},
                                                                          {"soak", 10}}));
    const auto groups = load_system_groups(std::string(VRNIC_SOURCE_ROOT "/tests/") + suite, {});
    if (!groups) FAIL(groups.error().message);
    std::set<std::string> names;
    std::size_t count = 0;
    for (const auto& group : *groups) {
        CHECK(group.suite == suite);
        CHECK_FALSE(group.cases.empty());
        INFO(group.name);
        CHECK((group.lab.share.empty() || std::filesystem::is_directory(group.lab.share)));
        for (const auto& one : group.cases) {
            names.insert(one.name);
            ++count;
        }
    }
    CHECK(names.size() == count);
    CHECK(count >= least);
}

}  // namespace vrnic::runner
