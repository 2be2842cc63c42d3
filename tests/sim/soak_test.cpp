// SPDX-License-Identifier: GPL-2.0-or-later
// Random work under random faults, over many seeds. A failure prints its seed: VRNIC_SIM_SEED=...
// replays it.
#include <chrono>
#include <iostream>
#include <sstream>

#include "random_faults.h"
#include "transfer.h"
#include "workload.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

struct Outcome {
    std::string wrong;
    std::uint64_t hash;
    std::uint64_t frames;
    Counters a, b;
};

// How many seeds the soak takes; VRNIC_SIM_SEEDS asks for more (or fewer), and then without a time
// limit.
std::uint64_t seeds_or(std::uint64_t otherwise) {
    const char* given = std::getenv("VRNIC_SIM_SEEDS");
    return given ? std::strtoull(given, nullptr, 0) : otherwise;
}

// Everything that happens follows from the seed.
struct Scenario {
    explicit Scenario(std::uint64_t seed, bool keep_frames = false)
        : random(seed * 977 + 5), pair(seed, options()) {
        pair.trace.keep_frames(keep_frames);
        LinkFaults& faults = pair.link.faults;
        const auto some = [this](std::uint32_t most) {
            return random.next() % 3 == 0 ? 0 : static_cast<std::uint32_t>(random.next() % most);
        };
        faults.loss = some(30'000);
        faults.duplicate = some(30'000);
        faults.reorder = some(30'000);
        faults.corrupt = some(30'000);
        faults.refuse = some(50'000);
        faults.reorder_delay = 1 + random.next() % (200 * kMicrosecond);
        pair.link.delay_max = 1 * kMicrosecond + random.next() % (20 * kMicrosecond);
        if (random.next() % 3 == 0) {
            pair.link.bytes_per_us = 500 + random.next() % 4000;
            pair.link.queue_time = random.next() % (20 * kMicrosecond);
        }
        workload.seed = seed;
        workload.qps = 1 + random.next() % 6;
        workload.gid_index = random.next() % 2;
        workload.receives_late = random.next() % 2;
        workload.operations = 20 + random.next() % 40;
        workload.max_bytes = random.next() % 2 ? 3000 : 12'000;
    }

    NodeOptions options() {
        NodeOptions node{.memory_bytes = 16 << 20};
        if (random.next() % 2 == 0) node.faults = random_faults(random, 5'000);
        return node;
    }

    Outcome run() {
        Workload work(pair, workload);
        std::string wrong = work.run(30 * kSecond);
        return {wrong, pair.trace.hash(), pair.link.frames_sent(), pair.a.counters(),
                pair.b.counters()};
    }

    Random random;
    Pair pair;
    WorkloadOptions workload;
};

}  // namespace

TEST_CASE("one seed gives one packet trace, another gives another", "[soak][replay]") {
    const std::uint64_t seed = seed_or(20);
    Scenario first(seed, true), second(seed, true), other(seed + 1, true);
    const Outcome one = first.run(), two = second.run(), three = other.run();
    INFO("VRNIC_SIM_SEED=" << seed);
    CHECK(one.wrong == "");
    CHECK(one.hash == two.hash);
    CHECK(one.frames > 100);
    REQUIRE(first.pair.trace == second.pair.trace);
    CHECK_FALSE(first.pair.trace == other.pair.trace);
    CHECK(one.hash != three.hash);
}

TEST_CASE("random work under all faults: no byte lost or doubled, no QP stuck", "[soak]") {
    const bool one_seed = std::getenv("VRNIC_SIM_SEED");
    const std::uint64_t first = seed_or(1000);
    const std::uint64_t seeds = one_seed ? 1 : seeds_or(300);
    // The seeds are always the same; a slow machine may leave the last ones out, and says so.
    const auto start = std::chrono::steady_clock::now();
    constexpr auto kTime = std::chrono::seconds(25);
    Counters sum;
    std::uint64_t done = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        Scenario scenario(seed, one_seed);
        const Outcome outcome = scenario.run();
        std::ostringstream packets;
        if (!outcome.wrong.empty()) {
            scenario.pair.trace.print(packets, 60);
            for (const Node* node : {&scenario.pair.a, &scenario.pair.b})
                for (const std::string& line : node->host.lines()) packets << line << '\n';
        }
        INFO("VRNIC_SIM_SEED=" << seed << " sim-tests '[soak]'\n" << packets.str());
        REQUIRE(outcome.wrong == "");
#define VRNIC_SUM(name) sum.name += outcome.a.name + outcome.b.name;
        VRNIC_COUNTERS(VRNIC_SUM)
#undef VRNIC_SUM
        ++done;
        if (!std::getenv("VRNIC_SIM_SEEDS") && std::chrono::steady_clock::now() - start > kTime)
            break;
    }
    if (one_seed) return;
    if (done < seeds)
        std::cout << "soak: " << done << " of " << seeds << " seeds in the time given\n";
    CHECK(done >= 5);
    // The faults did come.
    CHECK(sum.roce_retransmitted_packets > 100);
    CHECK(sum.roce_duplicate_requests > 100);
    CHECK(sum.roce_out_of_sequence > 20);
    CHECK(sum.roce_rnr_nak_sent > 20);
    CHECK(sum.roce_rx_bad_icrc > 20);
    CHECK(sum.roce_local_ack_timeouts > 5);
    CHECK(sum.roce_implied_nak_seq_err > 5);
    CHECK(sum.wire_pauses > 100);
    CHECK(sum.faults_dropped_packets > 5);
    CHECK(sum.faults_duplicated_packets > 5);
    CHECK(sum.faults_delayed_packets > 5);
    CHECK(sum.faults_reordered_packets > 5);
    CHECK(sum.faults_corrupted_packets > 5);
}

TEST_CASE("64 QPs at once", "[soak]") {
    const std::uint64_t seed = seed_or(64);
    INFO("VRNIC_SIM_SEED=" << seed);
    const bool faulty = GENERATE(false, true);
    Pair pair(seed, {.memory_bytes = 96 << 20});
    pair.trace.keep_frames(false);
    pair.link.bytes_per_us = 5000;
    pair.link.queue_time = 3 * kMicrosecond;
    if (faulty) pair.link.faults.loss = pair.link.faults.duplicate = 10'000;
    pair.cq_a = &pair.a.driver.create_cq({.log_size = 12});
    pair.cq_b = &pair.b.driver.create_cq({.log_size = 12});
    Workload work(pair, {.seed = seed,
                         .qps = 64,
                         .operations = 12,
                         .depth = 4,
                         .max_bytes = 3000,
                         .receives_late = true});
    CHECK(work.run(30 * kSecond) == "");
}

// The short form of tests/soak/million_test.cpp.
TEST_CASE("100 QPs under all faults, of the link and of the devices", "[soak][faults]") {
    const std::uint64_t seed = seed_or(100);
    INFO("VRNIC_SIM_SEED=" << seed);
    CHECK(run_large_soak({.seed = seed, .operations = 20}) == "");
}
