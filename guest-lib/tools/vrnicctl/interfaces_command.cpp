// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "commands.h"
#include "open_device.h"
#include "report_command.h"
#include "vrnicdv.h"

namespace vrnic::ctl {

namespace {

int run_interfaces(const std::string& device, bool json) {
    const auto context = open_device(device);
    if (!context) return fail(context.error());
    std::uint32_t count = 0;
    int err = vrnicdv_query_interfaces(context->get(), nullptr, &count);
    std::vector<vrnic_ib_interface> interfaces(count);
    if (err == 0) err = vrnicdv_query_interfaces(context->get(), interfaces.data(), &count);
    if (err != 0) return fail(why_not_told(err));
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const vrnic_ib_interface& one : interfaces) {
        if (json)
            all.push_back({{"name", one.name}, {"version", one.version}});
        else
            fmt::print("{:<16}version {}\n", one.name, one.version);
    }
    if (json) fmt::print("{}\n", all.dump(2));
    return 0;
}

}  // namespace

void add_interfaces(CLI::App& program, Run& run) {
    add_report(program, run,
               {.name = "interfaces",
                .what = "the descriptors that programs can open, with their newest versions",
                .device = "an RDMA device (default: the first of vrnic)",
                .report = run_interfaces});
}

}  // namespace vrnic::ctl
