// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/child_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "base/socket_pair.h"
#include "unit/catch.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner {
namespace {

Deadline soon() {
    return Clock::now() + std::chrono::seconds(20);
}

ChildCommand shell(std::string script) {
    ChildCommand command;
    command.argv = {"/bin/bash", "-c", std::move(script)};
    return command;
}

}  // namespace

TEST_CASE("a child's end is told as it was") {
    EventLoop loop;
    auto seven = run_to_end(loop, shell("exit 7"), soon());
    REQUIRE(seven);
    CHECK(seven->status == 7);
    CHECK(seven->signal == 0);
    auto killed = run_to_end(loop, shell("kill -ABRT $$"), soon());
    REQUIRE(killed);
    CHECK(killed->status == 128 + SIGABRT);
    CHECK(killed->signal == SIGABRT);
    auto late = run_to_end(loop, shell("sleep 30"), Clock::now() + std::chrono::milliseconds(50));
    REQUIRE_FALSE(late);
    CHECK(late.error().status == ExitStatus::timeout);
    ChildCommand none;
    none.argv = {"/nowhere/none"};
    CHECK_FALSE(ChildProcess::start(std::move(none)));
}

TEST_CASE("a child has the descriptors it was given, by number, and its output goes to a file") {
    EventLoop loop;
    testing::ScratchFolder folder;
    auto pair = make_socket_pair();
    REQUIRE(pair);
    auto command = shell("echo to file; echo to socket >&15; echo $WORD >&2");
    command.output_file = folder.file("out");
    command.environment = {{"WORD", "heard"}};
    command.fds.push_back({std::move(pair->second), 15});
    REQUIRE(run_to_end(loop, std::move(command), soon()));
    std::ifstream in(folder.file("out"));
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "to file\nheard\n");
    char buffer[32];
    CHECK(::read(pair->first.get(), buffer, sizeof buffer) == 10);
}

TEST_CASE("children do not outlive a runner that is killed") {
    // A process in between plays the runner: it starts a child, tells its number and is killed.
    int numbers[2];
    REQUIRE(::pipe(numbers) == 0);
    const pid_t runner = ::fork();
    if (runner == 0) {
        auto command = shell(fmt::format("echo $$ >&{}; exec sleep 60", 20));
        command.fds.push_back({UniqueFd(::dup(numbers[1])), 20});
        auto child = ChildProcess::start(std::move(command));
        ::pause();
        ::_exit(0);
    }
    ::close(numbers[1]);
    char text[32] = {};
    REQUIRE(::read(numbers[0], text, sizeof text - 1) > 0);
    const pid_t grandchild = std::atoi(text);
    REQUIRE(::kill(grandchild, 0) == 0);
    ::kill(runner, SIGKILL);
    ::waitpid(runner, nullptr, 0);
    // The pipe's last writer ends with the grandchild: the read returns when it is gone.
    CHECK(::read(numbers[0], text, sizeof text) == 0);
    ::close(numbers[0]);
}

}  // namespace vrnic::runner
