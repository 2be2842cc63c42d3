// SPDX-License-Identifier: GPL-2.0-or-later
// When the commands of a run start.
#include "unit/catch.h"
#include "vrnic_run.h"

namespace vrnic::runner_test {

using runner::Clock;

TEST_CASE("order: a command starts when the one before it listens, and nobody connects before it") {
    EventLoop loop;
    // This server takes one connection: one of the runner's would use it up.
    VrnicRun run(loop, {"run", "sleep 3; echo hello | busybox nc -l -p 5000",
                        "read -t 20 line </dev/tcp/vm1/5000 && echo \"got $line\""});
    const int status = run.wait();
    INFO(run.output());
    CHECK(status == 0);
    CHECK(run.output().find("vm2 | got hello\n") != std::string::npos);
}

TEST_CASE("order: a command that never listens holds up the next one for 10 s") {
    EventLoop loop;
    VrnicRun run(loop, {"run", "echo first; sleep 60", "echo second; exit 4"});
    REQUIRE(run.prints("vm1 | first"));
    const auto begin = Clock::now();
    REQUIRE(run.prints("vm2 | second"));
    const std::chrono::duration<double> waited = Clock::now() - begin;
    CHECK(waited.count() > 6);  // what is printed comes late on a busy machine
    CHECK(waited.count() < 15);
    // The one that is left gets 5 s more.
    CHECK(run.wait() == 4);
    const std::chrono::duration<double> all = Clock::now() - begin;
    CHECK(all.count() - waited.count() > 4.5);
}

TEST_CASE("order: a command that has ended holds up nobody") {
    EventLoop loop;
    VrnicRun run(loop, {"run", "echo first", "echo second"});
    REQUIRE(run.prints("vm1 | first"));
    const auto begin = Clock::now();
    REQUIRE(run.prints("vm2 | second"));
    CHECK(Clock::now() - begin < seconds(8));
    CHECK(run.wait() == 0);
}

}  // namespace vrnic::runner_test
