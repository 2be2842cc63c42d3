// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/protocol.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "base/lines.h"

namespace vrnic::protocol {
namespace {

constexpr std::array<std::pair<NicKind, std::string_view>, 3> nic_kinds{{
    {NicKind::vrnic, "vrnic"},
    {NicKind::rxe, "rxe"},
    {NicKind::plain, "plain"},
}};

}  // namespace

std::string to_text(const VmConfig& config) {
    std::string text = "vm " + std::to_string(config.number) + "\nvms " +
                       std::to_string(config.count) + "\nmtu " + std::to_string(config.mtu) + "\n";
    for (const auto& nic : config.nics) {
        for (const auto& [kind, name] : nic_kinds) {
            if (kind == nic.kind) text.append("nic ").append(name).append(" ").append(nic.mac);
        }
        text += '\n';
    }
    return text;
}

VmConfig parse_config(std::string_view text) {
    VmConfig config;
    runner::for_each_line(text, [&](std::string_view line) {
        const auto parts = words(line, 3);
        if (parts.size() < 2) return;
        const auto number = [&] { return std::atoi(std::string(parts[1]).c_str()); };
        if (parts[0] == "vm") config.number = number();
        if (parts[0] == "vms") config.count = number();
        if (parts[0] == "mtu") config.mtu = number();
        if (parts[0] == "nic" && parts.size() == 3) {
            for (const auto& [kind, name] : nic_kinds) {
                if (name == parts[1]) config.nics.push_back({kind, std::string(parts[2])});
            }
        }
    });
    return config;
}

std::string ipv4_address(int link, int number) {
    return "10.77." + std::to_string(link) + "." + std::to_string(number);
}

std::string ipv6_address(int link, int number) {
    const std::string network = link == 0 ? "fd77" : "fd77:" + std::to_string(link);
    return network + "::" + std::to_string(number);
}

std::vector<std::string_view> words(std::string_view line, std::size_t limit) {
    std::vector<std::string_view> found;
    while (!line.empty()) {
        const std::size_t end =
            found.size() + 1 == limit ? line.size() : std::min(line.find(' '), line.size());
        found.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return found;
}

}  // namespace vrnic::protocol
