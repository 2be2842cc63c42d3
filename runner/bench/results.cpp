// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/results.h"

#include <fmt/format.h>

#include <algorithm>

namespace vrnic::runner::bench {
namespace {

using Json = nlohmann::json;

Json samples_json(const Samples& samples) {
    return {
        {"median", samples.median()}, {"figures", samples.figures}, {"failures", samples.failures}};
}

}  // namespace

double Samples::median() const {
    if (figures.empty()) return 0;
    auto sorted = figures;
    std::ranges::sort(sorted);
    const auto middle = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double Samples::least() const {
    return figures.empty() ? 0 : std::ranges::min(figures);
}

double Samples::most() const {
    return figures.empty() ? 0 : std::ranges::max(figures);
}

double Comparison::ratio() const {
    const double ours = vrnic.median(), theirs = rxe.median();
    if (ours <= 0 || theirs <= 0) return 0;
    return measurement.quantity == Quantity::latency ? theirs / ours : ours / theirs;
}

Json Results::json() const {
    Json rows = Json::array();
    for (const auto& one : comparisons) {
        const bool latency = one.measurement.quantity == Quantity::latency;
        rows.push_back({{"operation", one.measurement.operation},
                        {"quantity", latency ? "latency" : "bandwidth"},
                        {"unit", latency ? "us" : "MiB/s"},
                        {"bytes", one.measurement.bytes},
                        {"qps", one.measurement.qps},
                        {"iterations", one.measurement.iterations},
                        {"mtu", one.mtu},
                        {"command", one.measurement.command("DEV", "GID")},
                        {"vrnic", samples_json(one.vrnic)},
                        {"rdma_rxe", samples_json(one.rxe)},
                        {"times_better", one.ratio()}});
    }
    return {{"date", date},
            {"kernel", kernel},
            {"guest", guest},
            {"qemu", qemu},
            {"accel", accel},
            {"rounds", rounds},
            {"limits",
             {{"memcpy", limits.copy},
              {"send_per_frame_1500", limits.frames_1500},
              {"send_per_frame_9000", limits.frames_9000}}},
            {"measurements", rows}};
}

std::string figure_text(double figure, Quantity quantity) {
    if (figure <= 0) return "-";
    const char* unit = quantity == Quantity::latency ? "µs" : "MiB/s";
    return figure < 100 ? fmt::format("{:.1f} {}", figure, unit)
                        : fmt::format("{:.0f} {}", figure, unit);
}

}  // namespace vrnic::runner::bench
