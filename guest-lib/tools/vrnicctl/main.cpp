// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// vrnicctl: what is peculiar to vrnic's devices.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "query.h"

using namespace vrnic::ctl;

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
        fmt::print("{}\n  {:<16}{}\n", one.device, "qp-types", fmt::join(one.qp_types, " "));
        for (const auto& [name, there] : one.features)
            fmt::print("  {:<16}{}\n", name, there ? "yes" : "no");
    }
}

int run_query(const std::string& device, bool json) {
    const auto devices = query(device);
    if (!devices) {
        fmt::print(stderr, "vrnicctl: {}\n", devices.error());
        return 1;
    }
    (json ? print_json : print_text)(*devices);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Tells what is peculiar to vrnic's RDMA devices.", "vrnicctl");
    app.require_subcommand(1);
    app.footer("Exit status: 0 told, 1 it could not be told, 2 wrong usage.");
    std::string device;
    bool json = false;
    CLI::App* asked = app.add_subcommand(
        "query", "what a device has: types of queue pair, atomics, shared receive queues, ...");
    asked->add_option("DEVICE", device, "an RDMA device (default: all of vrnic)");
    asked->add_flag("--json", json, "report as JSON");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "vrnicctl: {}; --help tells more\n", error.what());
        return 2;
    }
    return run_query(device, json);
}
