// SPDX-License-Identifier: GPL-2.0-or-later
#include <set>

#include "bench/page.h"
#include "bench/perftest.h"
#include "bench/plan.h"
#include "bench/results.h"
#include "unit/catch.h"

using namespace vrnic::runner::bench;

TEST_CASE("figures are found in what perftest prints") {
    const std::string bandwidth =
        " #bytes     #iterations    BW peak[MiB/sec]    BW average[MiB/sec]   MsgRate[Mpps]\n"
        " 65536      500              369.44             327.54             0.005241\n"
        "---------------------------------------------------------------------------------------\n";
    CHECK(perftest_figure(bandwidth, Quantity::bandwidth) == 327.54);
    CHECK_FALSE(perftest_figure(bandwidth, Quantity::latency));
    const std::string latency =
        " #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    "
        "t_stdev[usec]\n"
        " 64      1000          42.60          1306.75      51.93              68.94          "
        "113.64\n";
    CHECK(perftest_figure(latency, Quantity::latency) == 51.93);
    CHECK_FALSE(perftest_figure("Couldn't connect to vm1:18515\n", Quantity::bandwidth));
}

TEST_CASE("a plan has no line twice, and perftest takes each") {
    for (const bool quick : {false, true}) {
        std::set<std::string> names;
        const auto all = plan(quick);
        for (const auto& one : all) {
            names.insert(one.name());
            CHECK(one.iterations >= 5);
        }
        CHECK(names.size() == all.size());
    }
    CHECK(plan(true)
              .front()
              .command("DEV", "GID")
              .starts_with("ib_write_bw -d $DEV -x $GID -F -s 64 "));
}

TEST_CASE("a plan of some lines only") {
    const auto some = plan(false, "write_bw 64 KiB");
    REQUIRE(some.size() == 2);
    CHECK(some.front().name() == "write_bw 64 KiB");
    CHECK(some.back().name() == "write_bw 64 KiB, 16 QPs");
    CHECK(plan(true, "16 QPs").empty());
}

TEST_CASE("medians, and how many times better") {
    Comparison one{.measurement = plan(true).front(), .mtu = 1500, .vrnic = {}, .rxe = {}};
    CHECK(one.ratio() == 0);  // nothing is known
    one.vrnic.figures = {500, 100, 300};
    one.rxe.figures = {20, 40};
    CHECK(one.vrnic.median() == 300);
    CHECK(one.rxe.median() == 30);
    CHECK(one.ratio() == 10);
    one.measurement.quantity = Quantity::latency;
    CHECK(one.ratio() == 0.1);
}

TEST_CASE("a page has plots and all figures, and refers to nothing outside") {
    Results results;
    for (auto& measurement : plan(true)) {
        Comparison one{.measurement = measurement, .mtu = 9000, .vrnic = {}, .rxe = {}};
        one.vrnic.figures = {100, 200, 300};
        one.rxe.failures = {"vm1: the guest's kernel panicked: <oops>"};
        results.comparisons.push_back(one);
    }
    results.limits = {.copy = 10000, .frames_1500 = 500, .frames_9000 = 2000};
    const std::string text = page(results);
    CHECK(text.find("<svg") != std::string::npos);
    CHECK(text.find("200 MiB/s") != std::string::npos);
    CHECK(text.find("&lt;oops>") != std::string::npos);
    for (const char* outside : {"http", "src=", "<link", "<script", "@import"})
        CHECK(text.find(outside) == std::string::npos);
    CHECK(results.json()["measurements"].size() == results.comparisons.size());
}
