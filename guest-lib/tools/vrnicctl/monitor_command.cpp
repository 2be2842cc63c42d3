// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "monitor.h"

namespace vrnic::ctl {

namespace {

struct Word {
    const char* event;
    const char* detail;  // what DeviceEvent::detail is; nullptr: there is none
};

// In the order of DeviceEvent::Kind.
constexpr Word kWords[] = {{"came", nullptr},
                           {"renamed", "to"},
                           {"went", nullptr},
                           {"netdev-came", "netdev"},
                           {"netdev-went", "netdev"}};

void print(const DeviceEvent& event, bool json) {
    const Word& word = kWords[static_cast<int>(event.kind)];
    if (json) {
        nlohmann::json out{{"event", word.event}, {"device", event.device}};
        if (word.detail) out[word.detail] = event.detail;
        fmt::print("{}\n", out.dump());
    } else if (word.detail) {
        fmt::print("{} {} {} {}\n", event.device, word.event, word.detail, event.detail);
    } else {
        fmt::print("{} {}\n", event.device, word.event);
    }
    std::fflush(stdout);
}

struct Options {
    bool json = false;
    unsigned count = 0;  // events; 0: for ever
};

int run_monitor(const Options& options) {
    unsigned seen = 0;
    const auto done = monitor([] { fmt::print(stderr, "watching RDMA devices\n"); },
                              [&](const DeviceEvent& event) {
                                  print(event, options.json);
                                  return ++seen != options.count;
                              });
    return done ? 0 : fail(done.error());
}

}  // namespace

void add_monitor(CLI::App& program, Run& run) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "monitor", "tells of RDMA devices as they come, change their name and go");
    command->add_flag("--json", options->json, "a JSON object a line");
    command->add_option("--count", options->count, "end after so many events (default: never)");
    command->callback([options, &run] { run = [options] { return run_monitor(*options); }; });
}

}  // namespace vrnic::ctl
