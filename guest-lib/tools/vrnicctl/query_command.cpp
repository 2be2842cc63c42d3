// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "commands.h"
#include "query.h"
#include "report_command.h"

namespace vrnic::ctl {

namespace {

void print_json(const std::vector<DeviceFeatures>& devices) {
    nlohmann::json out = nlohmann::json::array();
    for (const DeviceFeatures& one : devices) {
        nlohmann::json entry{{"device", one.device}, {"qp-types", one.qp_types}};
        for (const auto& [name, there] : one.features) entry[name] = there;
        out.push_back(std::move(entry));
    }
    fmt::print("{}\n", out.dump(2));
}

void print_text(const std::vector<DeviceFeatures>& devices) {
    for (const DeviceFeatures& one : devices) {
        fmt::print("{}\n  {:<18}{}\n", one.device, "qp-types", fmt::join(one.qp_types, " "));
        for (const auto& [name, there] : one.features)
            fmt::print("  {:<18}{}\n", name, there ? "yes" : "no");
    }
}

int run_query(const std::string& device, bool json) {
    const auto devices = query(device);
    if (!devices) return fail(devices.error());
    (json ? print_json : print_text)(*devices);
    return 0;
}

}  // namespace

void add_query(CLI::App& program, Run& run) {
    add_report(
        program, run,
        {.name = "query",
         .what = "what a device has: types of queue pair, atomics, shared receive queues, ...",
         .device = "an RDMA device (default: all of vrnic)",
         .report = run_query});
}

}  // namespace vrnic::ctl
