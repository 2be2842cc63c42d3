// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/lab_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/host_cpus.h"

namespace vrnic::runner {

std::filesystem::path capture_file(const std::filesystem::path& first, int number, int link) {
    if (first.empty() || (number == 1 && link == 0)) return first;
    auto name = fmt::format("{}-vm{}", first.stem().string(), number);
    if (link > 0) name += fmt::format("-{}", link + 1);
    return first.parent_path() / (name + first.extension().string());
}

std::string faults_of(const std::vector<std::string>& faults, const std::string& vm) {
    std::string rules;
    for (const std::string& fault : faults) {
        // No rule has a colon.
        const auto colon = fault.find(':');
        if (colon != std::string::npos && fault.substr(0, colon) != vm) continue;
        rules +=
            (rules.empty() ? "" : ";") + fault.substr(colon == std::string::npos ? 0 : colon + 1);
    }
    return rules;
}

std::vector<VmSpec> make_specs(const LabOptions& options, const VmFiles& files,
                               const std::string& accel, const std::filesystem::path& folder) {
    const std::vector<int> host_cpus = allowed_cpus();
    std::vector<VmSpec> specs;
    for (int number = 1; number <= options.vms; ++number) {
        VmSpec spec;
        spec.number = number;
        spec.count = options.vms;
        spec.files = files;
        spec.accel = accel;
        spec.memory_mib = std::max(options.memory_mib, files.least_memory_mib);
        spec.cpus = options.cpus;
        spec.host_cpus = share_of_cpus(host_cpus, number, options.vms, options.cpus);
        spec.iommu = options.iommu;
        spec.mtu = options.mtu;
        spec.shell = options.shell;
        if (!options.share.empty()) spec.share = std::filesystem::absolute(options.share);
        spec.gdb = options.gdb == spec.name();
        spec.kernel_options = options.kernel_options;
        spec.folder = folder / spec.name();
        const bool rxe = std::ranges::find(options.rxe, spec.name()) != options.rxe.end();
        const int links = options.nics + (options.rxe_beside ? 1 : 0);
        for (int link = 0; link < links; ++link) {
            const bool is_rxe = rxe || link >= options.nics;
            NicSpec nic;
            nic.kind = is_rxe ? protocol::NicKind::rxe : protocol::NicKind::vrnic;
            // Locally administered; links are private to a run, so that these may repeat.
            nic.mac = fmt::format("52:54:00:77:{:02x}:{:02x}", link, number);
            if (!is_rxe) {
                nic.properties = options.device;
                if (const auto rules = faults_of(options.faults, spec.name()); !rules.empty())
                    nic.properties.push_back("faults=" + rules);
            }
            nic.capture = capture_file(options.capture, number, link);
            spec.nics.push_back(std::move(nic));
        }
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace vrnic::runner
