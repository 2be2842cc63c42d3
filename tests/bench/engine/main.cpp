// SPDX-License-Identifier: GPL-2.0-or-later
// How fast the engine is by itself: two of them joined in memory, in one thread, without QEMU.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <nlohmann/json.hpp>

#include "traffic.h"

namespace vrnic::bench {
namespace {

struct Operation {
    const char* name;
    std::uint8_t opcode;
};
constexpr Operation operations[] = {
    {"write", VRNIC_OP_WRITE}, {"send", VRNIC_OP_SEND}, {"read", VRNIC_OP_READ}};

struct Options {
    std::vector<std::string> names;
    std::vector<std::uint32_t> sizes{64, 4096, 65536, 1 << 20};
    std::vector<std::uint32_t> qps{1};
    std::uint32_t idle_qps = 0, idle_regions = 0;
    std::uint32_t batch = 0;
    double seconds = 0.5;        // to measure for
    std::uint64_t messages = 0;  // instead, exactly
    bool json = false;
};

// What valgrind counts the instructions of: nothing but this.
[[gnu::noinline]] std::uint64_t carry_measured(Traffic& traffic, std::uint64_t messages) {
    return traffic.run(messages);
}

// Seconds. What others do on the machine meanwhile does not count, but for what they take of its
// caches.
double processor_time() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double measure(Traffic& traffic, const Options& options) {
    traffic.run(1000);  // caches, branch predictors
    std::uint64_t messages = 0;
    const double begin = processor_time();
    double time = 0;
    do {
        messages += carry_measured(traffic, 2000);
        time = processor_time() - begin;
    } while (time < options.seconds);
    return static_cast<double>(messages) / time;
}

int run(const Options& options) {
    nlohmann::json results = nlohmann::json::array();
    if (!options.json && options.messages == 0)
        fmt::print("{:6} {:>9} {:>6} {:>12} {:>10}\n", "", "bytes", "QPs", "messages/s", "MB/s");
    for (const auto& operation : operations) {
        if (std::ranges::find(options.names, operation.name) == options.names.end()) continue;
        for (const auto size : options.sizes) {
            for (const auto qps : options.qps) {
                Traffic traffic({.operation = operation.opcode,
                                 .size = size,
                                 .qps = qps,
                                 .idle_qps = options.idle_qps,
                                 .idle_regions = options.idle_regions,
                                 .batch = options.batch});
                if (options.messages != 0) {
                    traffic.run(1);  // what is done once is not counted
                    fmt::print("{} messages\n", carry_measured(traffic, options.messages));
                    continue;
                }
                const double rate = measure(traffic, options);
                const double megabytes = rate * size / 1e6;
                results.push_back({{"operation", operation.name},
                                   {"bytes", size},
                                   {"qps", qps},
                                   {"messages_per_second", rate},
                                   {"megabytes_per_second", megabytes}});
                if (!options.json)
                    fmt::print("{:6} {:>9} {:>6} {:>12.0f} {:>10.1f}\n", operation.name, size, qps,
                               rate, megabytes);
            }
        }
    }
    if (options.json) fmt::print("{}\n", results.dump(2));
    return 0;
}

}  // namespace
}  // namespace vrnic::bench

int main(int argc, char** argv) {
    vrnic::bench::Options options;
    CLI::App app("measures two engines joined in memory, in one thread, without QEMU",
                 "engine-bench");
    for (const auto& operation : vrnic::bench::operations) options.names.push_back(operation.name);
    app.add_option("--operations", options.names, "write, send, read")
        ->delimiter(',')
        ->check(CLI::IsMember({"write", "send", "read"}));
    app.add_option("--sizes", options.sizes, "bytes of a message")->delimiter(',');
    app.add_option("--qps", options.qps, "queue pairs that are active")->delimiter(',');
    app.add_option("--idle-qps", options.idle_qps, "queue pairs beside them that do nothing");
    app.add_option("--idle-regions", options.idle_regions, "memory regions beside them");
    app.add_option("--batch", options.batch,
                   "messages of a queue pair with one doorbell; 0: as many as fit, up to 64");
    app.add_option("--seconds", options.seconds, "for each line")->capture_default_str();
    app.add_option("--messages", options.messages, "so many, not timed: to count instructions");
    app.add_flag("--json", options.json, "for machines");
    CLI11_PARSE(app, argc, argv);
    try {
        return vrnic::bench::run(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "engine-bench: {}\n", error.what());
        return 1;
    }
}
