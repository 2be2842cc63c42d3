// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/tool.h"

#include "unit/catch.h"
#include "unit/setup/scratch.h"

namespace vrnic::setup {
namespace {

using testing::Scratch;

Result<void> shell(Scratch& scratch, const std::string& script) {
    return run_tool(scratch.loop, scratch.progress,
                    {.argv = {"sh", "-c", script},
                     .directory = {},
                     .log = scratch.folder() / "logs/tool.log",
                     .environment = {{"WORD", "given"}},
                     .detail = {}});
}

}  // namespace

TEST_CASE("a tool's output is kept in its log") {
    Scratch scratch;
    REQUIRE(shell(scratch, "echo $WORD; echo on stderr >&2"));
    CHECK(*read_text(scratch.folder() / "logs/tool.log") == "given\non stderr\n");
}

TEST_CASE("a tool that fails is an error with the line that says why") {
    Scratch scratch;
    const auto failed = shell(
        scratch, "echo first; echo 'x.c:1: error: no such thing'; echo 'make: gave up'; exit 3");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("x.c:1: error: no such thing") != std::string::npos);
    CHECK(failed.error().message.find("exit status 3") != std::string::npos);
    CHECK(failed.error().message.find("tool.log") != std::string::npos);
}

TEST_CASE("a full disk is named before other errors") {
    Scratch scratch;
    const auto failed =
        shell(scratch, "echo 'E: something'; echo 'tar: write: No space left on device'; exit 1");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("No space left on device") != std::string::npos);
}

TEST_CASE("a tool that does not exist, or dies of a signal, is an error") {
    Scratch scratch;
    const auto missing = run_tool(scratch.loop, scratch.progress,
                                  {.argv = {"vrnic-no-such-tool"},
                                   .directory = {},
                                   .log = scratch.folder() / "log",
                                   .environment = {},
                                   .detail = {}});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message.find("vrnic-no-such-tool") != std::string::npos);
    CHECK_FALSE(shell(scratch, "kill -9 $$"));
}

TEST_CASE("output of a short command") {
    CHECK(*tool_output({"echo", "a", "b"}) == "a b\n");
    CHECK_FALSE(tool_output({"false"}));
    CHECK_FALSE(tool_output({"vrnic-no-such-tool"}));
}

}  // namespace vrnic::setup
