// SPDX-License-Identifier: GPL-2.0-or-later
// What a run leaves behind, and what two of them do to each other.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "unit/catch.h"
#include "vrnic_run.h"

namespace vrnic::runner_test {
namespace {

// Names of all unix sockets of this machine that have one.
std::vector<std::string> named_sockets() {
    std::vector<std::string> names;
    std::ifstream in("/proc/net/unix");
    for (std::string line; std::getline(in, line);) {
        const auto slash = line.find(" /");
        if (slash != std::string::npos && line.find("vrnic", slash) != std::string::npos)
            names.push_back(line.substr(slash + 1));
    }
    return names;
}

}  // namespace

TEST_CASE("manners: a runner that is killed leaves no QEMU and no socket behind") {
    EventLoop loop;
    // Guests of good manners would power off when nobody listens: these cannot.
    const std::string stuck = "echo up; sleep 1; pkill -STOP vrnic-agent; sleep 600";
    VrnicRun run(loop, {"run", stuck, stuck});
    REQUIRE(run.prints("vm1 | up"));
    (void)loop.wait([] { return false; }, runner::Clock::now() + seconds(4));
    const auto qemus = run.qemus();
    REQUIRE(qemus.size() == 2);
    run.send_signal(SIGKILL);
    CHECK(run.wait() == 128 + SIGKILL);
    CHECK(all_gone(loop, qemus));
    CHECK(named_sockets().empty());
}

TEST_CASE("manners: two runs at once do not disturb each other") {
    EventLoop loop;
    // The same addresses and ports in both; each server answers with its own word.
    const auto start = [&](const std::string& word) {
        return std::make_unique<VrnicRun>(
            loop,
            std::vector<std::string>{
                "run", "echo " + word + " | busybox nc -l -p 5000; sleep 1; rdma link >/dev/null",
                "read -t 20 line </dev/tcp/vm1/5000; echo \"got $line\"; "
                "test \"$line\" = " +
                    word});
    };
    const auto one = start("one");
    const auto two = start("two");
    CHECK(one->wait() == 0);
    CHECK(two->wait() == 0);
    INFO(one->output() << two->output());
    CHECK(one->output().find("vm2 | got one\n") != std::string::npos);
    CHECK(two->output().find("vm2 | got two\n") != std::string::npos);
}

TEST_CASE("manners: a reader that goes away changes no verdict") {
    EventLoop loop;
    runner::testing::ScratchFolder folder;
    const auto status = folder.file("status");
    runner::ChildCommand command;
    command.argv = {"/bin/bash", "-c",
                    "\"$0\" run 'seq 100000; exit 7' 2>/dev/null | head -n 1; "
                    "echo ${PIPESTATUS[0]} >\"$1\"",
                    VRNIC_SOURCE_ROOT "/vrnic", status.string()};
    command.output_file = "/dev/null";
    REQUIRE(run_to_end(loop, std::move(command), runner::Clock::now() + patience));
    std::ifstream in(status);
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "7\n");
}

}  // namespace vrnic::runner_test
