// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vrnic::runner::bench {
namespace {

constexpr std::array operations{"write", "read", "send"};
constexpr std::uint32_t latency_iterations = 1000;
// As much as the slower one carries in some seconds.
constexpr std::uint32_t bytes_in_all = 48u << 20;
constexpr std::uint32_t most_messages = 20'000;
constexpr std::uint32_t fewest_messages = 16;  // of each QP; perftest wants 5

std::uint32_t iterations(std::uint32_t bytes, std::uint32_t qps) {
    const auto messages = std::min(most_messages, bytes_in_all / bytes);
    return std::max(fewest_messages, messages / qps);
}

}  // namespace

std::string Measurement::name() const {
    if (quantity == Quantity::latency)
        return fmt::format("{}_lat {}", operation, bytes_text(bytes));
    return fmt::format("{}_bw {}{}", operation, bytes_text(bytes),
                       qps == 1 ? "" : fmt::format(", {} QPs", qps));
}

std::string Measurement::command(const std::string& device, const std::string& gid) const {
    const bool latency = quantity == Quantity::latency;
    return fmt::format("ib_{}_{} -d ${} -x ${} -F -s {} -n {}{}", operation, latency ? "lat" : "bw",
                       device, gid, bytes, iterations, qps == 1 ? "" : fmt::format(" -q {}", qps));
}

std::vector<Measurement> plan(bool quick, const std::string& only) {
    const std::vector<std::uint32_t> sizes =
        quick ? std::vector<std::uint32_t>{64, 65536, 1 << 20}
              : std::vector<std::uint32_t>{64, 1024, 4096, 16384, 65536, 1 << 20, 4 << 20};
    std::vector<Measurement> all;
    for (const auto* operation : operations) {
        for (const auto size : sizes)
            all.push_back({operation, Quantity::bandwidth, size, 1, iterations(size, 1)});
        if (quick) continue;
        for (const std::uint32_t size : {64u, 65536u})
            all.push_back({operation, Quantity::bandwidth, size, 16, iterations(size, 16)});
    }
    for (const auto* operation : operations)
        all.push_back({operation, Quantity::latency, 64, 1, latency_iterations});
    std::erase_if(all, [&](const Measurement& one) { return !one.name().contains(only); });
    return all;
}

std::string bytes_text(std::uint32_t bytes) {
    if (bytes >= 1u << 20) return fmt::format("{} MiB", bytes >> 20);
    if (bytes >= 1u << 10) return fmt::format("{} KiB", bytes >> 10);
    return fmt::format("{} B", bytes);
}

}  // namespace vrnic::runner::bench
