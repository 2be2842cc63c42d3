// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "list.h"

namespace vrnic::ctl {

namespace {

using Json = nlohmann::json;

Json to_json(const CharacterDevice& device) {
    return {{"name", device.name},
            {"major", device.major},
            {"minor", device.minor},
            {"abi", device.abi}};
}

Json to_json(const std::optional<CharacterDevice>& device) {
    return device ? to_json(*device) : Json();
}

Json to_json(const ListedDevice& one) {
    return {{"device", one.rdma.name},
            {"index", one.rdma.index},
            {"firmware", one.rdma.firmware},
            {"driver-id", *one.uverbs.driver_id},
            {"uverbs", to_json(one.uverbs)},
            {"umad", to_json(one.umad)},
            {"rdma_cm", to_json(one.rdma_cm)},
            {"netdev", one.rdma.netdev.empty() ? Json() : Json(one.rdma.netdev)},
            {"pci", one.pci_address.empty() ? Json() : Json(one.pci_address)},
            {"kverbs", one.kernel_verbs ? Json(*one.kernel_verbs) : Json()},
            {"qp-types", one.qp_types.empty() ? Json() : Json(one.qp_types)}};
}

std::string text(const CharacterDevice& device) {
    return fmt::format("{} ({}:{}), ABI {}", device.name, device.major, device.minor, device.abi);
}

std::string text(const std::optional<CharacterDevice>& device) {
    return device ? text(*device) : "none";
}

std::string or_unknown(const std::string& text) {
    return text.empty() ? "not seen from here" : text;
}

void print_text(const ListedDevice& one) {
    fmt::print("{}\n", one.rdma.name);
    const auto line = [](const char* what, const std::string& value) {
        fmt::print("  {:<18}{}\n", what, value);
    };
    line("index", std::to_string(one.rdma.index));
    line("firmware", one.rdma.firmware);
    line("driver-id", fmt::format("{:#010x}", *one.uverbs.driver_id));
    line("uverbs", text(one.uverbs));
    line("umad", text(one.umad));
    line("rdma_cm", text(one.rdma_cm));
    line("netdev", or_unknown(one.rdma.netdev));
    line("pci", or_unknown(one.pci_address));
    line("kverbs", !one.kernel_verbs ? or_unknown("") : *one.kernel_verbs ? "yes" : "no");
    line("qp-types", or_unknown(fmt::format("{}", fmt::join(one.qp_types, " "))));
}

int run_list(bool json) {
    const auto devices = list_devices();
    if (!devices) return fail(devices.error());
    if (json) {
        Json out = Json::array();
        for (const ListedDevice& one : *devices) out.push_back(to_json(one));
        fmt::print("{}\n", out.dump(2));
        return 0;
    }
    if (devices->empty()) return fail("there is no vrnic");
    for (const ListedDevice& one : *devices) print_text(one);
    return 0;
}

}  // namespace

void add_list(CLI::App& program, Run& run) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* command = program.add_subcommand(
        "list", "all devices of vrnic, as netlink tells: no sysfs, no libibverbs");
    command->add_flag("--json", *json, "report as JSON");
    command->callback([json, &run] { run = [json] { return run_list(*json); }; });
}

}  // namespace vrnic::ctl
