// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace vrnic::runner::bench {
namespace {

constexpr const char* style = R"(
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 66em; padding: 0 1em; color: #222; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .8em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.spread { color: #777; font-size: .85em; } .failed { color: #b00; }
figure { display: inline-block; margin: 0 1em 1em 0; } figcaption { text-align: center; font-weight: 600; }
svg text { font-size: 11px; fill: #444; }
)";

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '&':
                out += "&amp;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

struct Point {
    double x, y;
};
struct Line {
    const char* name;
    const char* colour;
    bool dashed;
    std::vector<Point> points;
};

// Both axes logarithmic: x by bytes of a message, y in MiB/s.
class Plot {
  public:
    explicit Plot(std::vector<Line> lines) : lines_(std::move(lines)) {
        for (const auto& line : lines_) {
            for (const auto& point : line.points) {
                min_x_ = std::min(min_x_, point.x);
                max_x_ = std::max(max_x_, point.x);
                min_y_ = std::min(min_y_, std::floor(std::log10(point.y)));
                max_y_ = std::max(max_y_, std::ceil(std::log10(point.y)));
            }
        }
        max_y_ = std::max(max_y_, min_y_ + 1);
        max_x_ = std::max(max_x_, min_x_ * 2);
    }

    [[nodiscard]] std::string svg() const {
        std::string out = fmt::format(R"(<svg width="{}" height="{}" role="img">)", width, height);
        for (double decade = min_y_; decade <= max_y_; ++decade) {
            const double value = std::pow(10, decade);
            out += fmt::format(R"(<path d="M{:.1f} {:.1f}H{}" stroke="#ddd"/>)", left + 0.0,
                               y(value), right);
            out += fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="end">{:g}</text>)", left - 6,
                               y(value) + 4, value);
        }
        std::set<double> sizes;
        for (const auto& line : lines_)
            for (const auto& point : line.points) sizes.insert(point.x);
        for (const double size : sizes)
            out += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x(size),
                               bottom + 16, short_bytes(size));
        double legend = top + 4;
        for (const auto& line : lines_) {
            out += curve(line);
            out += fmt::format(R"(<text x="{}" y="{:.0f}" style="fill:{}">{}</text>)", left + 8,
                               legend += 14, line.colour, line.name);
        }
        return out + "</svg>";
    }

  private:
    static constexpr int width = 460, height = 270, left = 52, right = 450, top = 4, bottom = 245;

    [[nodiscard]] double x(double bytes) const {
        return left + 20 +
               (right - left - 40) * std::log(bytes / min_x_) / std::log(max_x_ / min_x_);
    }
    [[nodiscard]] double y(double value) const {
        return bottom - (bottom - top) * (std::log10(value) - min_y_) / (max_y_ - min_y_);
    }
    static std::string short_bytes(double bytes) {
        auto text = bytes_text(static_cast<std::uint32_t>(bytes));
        if (text.ends_with("iB")) text.resize(text.size() - 2);
        std::erase(text, ' ');
        return text;
    }
    [[nodiscard]] std::string curve(const Line& line) const {
        std::string path, marks;
        for (const auto& point : line.points) {
            path +=
                fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x(point.x), y(point.y));
            if (!line.dashed)
                marks += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>)",
                                     x(point.x), y(point.y), line.colour);
        }
        return fmt::format(R"(<path d="{}" fill="none" stroke="{}" stroke-width="2"{}/>)", path,
                           line.colour, line.dashed ? R"( stroke-dasharray="5 4")" : "") +
               marks;
    }

    std::vector<Line> lines_;
    double min_x_ = 1e12, max_x_ = 1, min_y_ = 9, max_y_ = -9;
};

std::string bandwidth_plot(const Results& results, int mtu, const std::string& operation) {
    Line ours{"vrnic", "#0a58ca", false, {}}, theirs{"rdma_rxe", "#c2410c", false, {}},
        limit{"one send call per frame, nothing else", "#888", true, {}};
    for (const auto& one : results.comparisons) {
        const auto& what = one.measurement;
        if (one.mtu != mtu || what.operation != operation || what.qps != 1 ||
            what.quantity != Quantity::bandwidth)
            continue;
        const double bytes = what.bytes;
        if (one.vrnic.median() > 0) ours.points.push_back({bytes, one.vrnic.median()});
        if (one.rxe.median() > 0) theirs.points.push_back({bytes, one.rxe.median()});
        const double most = mtu == 1500 ? results.limits.frames_1500 : results.limits.frames_9000;
        const double path_mtu = mtu == 1500 ? 1024 : 4096;
        if (most > 0) limit.points.push_back({bytes, most * std::min(1.0, bytes / path_mtu)});
    }
    if (ours.points.empty()) return {};
    return fmt::format(
        "<figure>{}<figcaption>{}, MTU {}: MiB/s by size of a message</figcaption></figure>",
        Plot({ours, theirs, limit}).svg(), operation, mtu);
}

std::string cell(const Samples& samples, Quantity quantity) {
    std::string text = figure_text(samples.median(), quantity);
    if (samples.figures.size() > 1)
        text += fmt::format(" <span class=spread>{:.4g}–{:.4g}</span>", samples.least(),
                            samples.most());
    if (!samples.failures.empty())
        text += fmt::format(" <span class=failed>{} failed: {}</span>", samples.failures.size(),
                            escaped(samples.failures.front()));
    return text;
}

std::string table(const Results& results, int mtu) {
    std::string out = "<table><tr><th>perftest<th>vrnic<th>rdma_rxe<th>times better</tr>";
    for (const auto& one : results.comparisons) {
        if (one.mtu != mtu) continue;
        out += fmt::format("<tr><td>{}<td>{}<td>{}<td>{}</tr>", one.measurement.name(),
                           cell(one.vrnic, one.measurement.quantity),
                           cell(one.rxe, one.measurement.quantity),
                           one.ratio() > 0 ? fmt::format("{:.1f}", one.ratio()) : "-");
    }
    return out + "</table>";
}

}  // namespace

std::string page(const Results& results) {
    std::string body = fmt::format(
        "<h1>vrnic beside rdma_rxe</h1><p>{}. Two VMs ({}, QEMU {}, {}, kernel {}), each with "
        "both, on sockets of "
        "the same kind; the same perftest lines, taken in turns, {} rounds; median and spread. The "
        "host copies "
        "{:.0f} MiB/s in memory; a program that does nothing but send frames, one call for each, "
        "gets {:.0f} MiB/s "
        "through at MTU 1500 and {:.0f} at 9000.</p>",
        results.date, results.guest, results.qemu, results.accel, results.kernel, results.rounds,
        results.limits.copy, results.limits.frames_1500, results.limits.frames_9000);
    std::set<int> mtus;
    for (const auto& one : results.comparisons) mtus.insert(one.mtu);
    for (const int mtu : mtus) {
        body += fmt::format("<h2>MTU {}</h2>", mtu);
        for (const char* operation : {"write", "read", "send"})
            body += bandwidth_plot(results, mtu, operation);
        body += table(results, mtu);
    }
    return fmt::format(
        "<!doctype html><html lang=en><meta charset=utf-8><title>vrnic "
        "bench</title><style>{}</style>"
        "<body>{}</body></html>\n",
        style, body);
}

}  // namespace vrnic::runner::bench
