// SPDX-License-Identifier: GPL-2.0-or-later
// How `./vrnic run` ends, and that it says why in one line.
#include <array>
#include <csignal>
#include <regex>

#include "case_table.h"
#include "unit/catch.h"
#include "vrnic_run.h"

namespace vrnic::runner_test {
namespace {

struct Verdict {
    const char* name;
    std::vector<const char*> arguments;  // of `run`; MODULES stands for the test modules' folder
    int status;
    const char* explanation;   // ECMAScript regular expression of the one line; empty: none
    const char* printed = "";  // found in what it printed
};

const std::array verdicts{
    Verdict{"a command that succeeds", {"echo well"}, 0, "", "\nvm1 \\| well\n|^vm1 \\| well\n"},
    Verdict{"a command that fails", {"exit 7"}, 7, "the command of vm1 failed with status 7"},
    Verdict{"a command that a signal ends",
            {"kill -9 $$"},
            137,
            "the command of vm1 failed with status 137"},
    Verdict{"a command that is not there",
            {"no-such-program"},
            127,
            "the command of vm1 failed with status 127",
            "command not found"},
    Verdict{"a guest that panics",
            {"echo c >/proc/sysrq-trigger"},
            120,
            "vm1: the guest's kernel panicked: Kernel panic - not syncing: sysrq triggered crash"},
    Verdict{"a guest that oopses",
            {"--share", "MODULES", "insmod /share/vrnic_faults.ko fault=oops; true"},
            120,
            "vm1: the guest's kernel oopsed: BUG: kernel NULL pointer dereference.*"},
    Verdict{"a guest that panics when its command has ended well",
            {"setsid bash -c 'sleep 2; echo c >/proc/sysrq-trigger' >/dev/null 2>&1 & sleep 1",
             "sleep 30"},
            120,
            "vm1: the guest's kernel panicked: .*"},
    Verdict{"a guest that warns is told of, and is no failure",
            {"--share", "MODULES", "insmod /share/vrnic_faults.ko fault=warn; true"},
            0,
            "",
            "vrnic: warning: vm1's kernel complained: (WARNING|.*Call Trace)"},
    Verdict{"a command that never ends",
            {"--timeout", "4", "sleep 1000"},
            124,
            "the command of vm1 did not end within 4 s"},
    Verdict{"a guest whose kernel hangs",
            {"--timeout", "6", "--share", "MODULES", "insmod /share/vrnic_faults.ko fault=hang"},
            124,
            "the command of vm1 did not end within 6 s"},
    Verdict{"a guest that powers off early",
            {"busybox poweroff -f"},
            122,
            "vm1: the guest powered off before it gave its verdict"},
    Verdict{"a guest that resets",
            {"busybox reboot -f"},
            122,
            "vm1: the guest reset before it gave its verdict"},
    Verdict{"a guest whose agent is killed",
            {"pkill -9 vrnic-agent; sleep 60"},
            122,
            "vm1: the guest powered off before it gave its verdict"},
    Verdict{"a guest that floods its console",
            {"head -c 2000000 /dev/zero | tr '\\0' x | fold >/dev/console; exit 7"},
            7,
            "the command of vm1 failed with status 7"},
    Verdict{"a command that floods its output",
            {"seq 300000; exit 7"},
            7,
            "the command of vm1 failed with status 7",
            "\nvm1 \\| 300000\n"},
    Verdict{"a QEMU that refuses its command line",
            {"--device", "nonsense=1", "true"},
            125,
            "vm1: QEMU did not start: .*nonsense.*"},
    Verdict{"a kernel that is not there",
            {"--kernel", "none", "true"},
            125,
            "no kernel named 'none'; there are: .*"},
    Verdict{"a VM that is not there",
            {"--rxe", "vm3", "true", "true"},
            2,
            "there is no vm3 in this run, which has 2 VMs"},
    Verdict{"a fault that there is not",
            {"--fault", "drop,nht=3", "true"},
            125,
            "vm1: QEMU did not start: .*fault 1: \"nht=3\": drop takes dir, .*"},
    Verdict{"a fault of a VM that is not there",
            {"--fault", "vm2:drop", "true"},
            2,
            "there is no vm2 in this run, which has 1 VM"},
    Verdict{"a fault of no VM's",
            {"--fault", "here:drop", "true"},
            2,
            "--fault: give it as RULE, or as vm2:RULE.*; see ./vrnic run --help"},
    Verdict{"wrong arguments", {"--mtu", "1", "true"}, 2, "--mtu: .*; see ./vrnic run --help"},
    Verdict{"the first command to fail counts",
            {"trap 'exit 9' TERM; busybox nc -l -p 5000 & wait", "exit 7"},
            7,
            "the command of vm2 failed with status 7"},
    Verdict{
        "a server that fails while its client runs",
        {"busybox nc -l -p 5000 >/dev/null; exit 3", "echo | busybox nc vm1 5000; sleep 2; exit 8"},
        3,
        "the command of vm1 failed with status 3"},
};

void judge(const Verdict& row) {
    EventLoop loop;
    std::vector<std::string> arguments{"run"};
    for (const std::string word : row.arguments)
        arguments.push_back(word == "MODULES" ? modules_folder() : word);
    VrnicRun run(loop, arguments);
    const int status = run.wait();
    const std::string output = run.output();
    INFO(output.substr(output.size() - std::min<std::size_t>(output.size(), 4000)));
    CHECK(status == row.status);
    const auto said = run.explanations();
    if (*row.explanation == '\0') {
        CHECK(said.empty());
    } else {
        REQUIRE(said.size() == 1);
        CHECK(std::regex_match(said[0], std::regex(row.explanation)));
    }
    // The library's regular expressions recurse: not over megabytes.
    const auto tail = output.substr(output.size() - std::min<std::size_t>(output.size(), 4000));
    if (*row.printed != '\0') CHECK(std::regex_search(tail, std::regex(row.printed)));
    // Evidence of every failure that a VM had part in.
    const bool had_vm =
        row.status > 2 && std::string_view(row.explanation).find("vm") != std::string_view::npos;
    CHECK(std::filesystem::exists(run.evidence() / "vm1/console.log") == had_vm);
    CHECK(run.evidence().empty() == !had_vm);
    if (had_vm) std::filesystem::remove_all(run.evidence());
}

const CaseTable<verdicts, judge> cases("verdict: ");

}  // namespace

TEST_CASE("verdict: a QEMU that aborts") {
    EventLoop loop;
    VrnicRun run(loop, {"run", "echo up; sleep 60"});
    REQUIRE(run.prints("vm1 | up"));
    const auto qemus = run.qemus();
    REQUIRE(qemus.size() == 1);
    ::kill(qemus[0], SIGABRT);
    CHECK(run.wait() == 121);
    REQUIRE(run.explanations().size() == 1);
    CHECK_THAT(run.explanations()[0],
               Catch::Matchers::StartsWith("vm1: QEMU died, ended by signal 6 (Aborted)"));
    std::filesystem::remove_all(run.evidence());
}

TEST_CASE("verdict: a QEMU that somebody asks to end") {
    EventLoop loop;
    VrnicRun run(loop, {"run", "echo up; sleep 60"});
    REQUIRE(run.prints("vm1 | up"));
    REQUIRE(run.qemus().size() == 1);
    ::kill(run.qemus()[0], SIGTERM);
    CHECK(run.wait() == 121);
    REQUIRE(run.explanations().size() == 1);
    CHECK_THAT(run.explanations()[0],
               Catch::Matchers::StartsWith("vm1: QEMU was ended by a signal"));
    std::filesystem::remove_all(run.evidence());
}

TEST_CASE("verdict: a runner that is interrupted") {
    const int signal = GENERATE(SIGINT, SIGTERM);
    EventLoop loop;
    VrnicRun run(loop, {"run", "echo up; sleep 60", "echo up; sleep 60"});
    REQUIRE(run.prints("vm1 | up"));
    const auto qemus = run.qemus();
    CHECK(qemus.size() == 2);
    run.send_signal(signal);
    CHECK(run.wait() == 130);
    CHECK(run.explanations() == std::vector<std::string>{"interrupted"});
    CHECK(all_gone(loop, qemus));
}

}  // namespace vrnic::runner_test
