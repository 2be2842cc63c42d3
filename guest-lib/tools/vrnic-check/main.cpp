// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// vrnic-check: moves data by RDMA between two machines and looks at every byte. Uses nothing but
// libibverbs, so that any RDMA device can be at either end.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "atomic_check.h"
#include "channel.h"
#include "content_check.h"
#include "device.h"
#include "error_check.h"
#include "extension_check.h"
#include "options.h"
#include "removal_check.h"

using namespace vrnic::check;

namespace {

constexpr int kConnectPatience = 30;  // seconds for the server to start

std::string human(uint64_t bytes) {
    if (bytes < 10'000) return fmt::format("{} B", bytes);
    if (bytes < 10 << 20) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

// Prints at once: others may be reading as we go.
template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
    fmt::print(format, std::forward<Args>(args)...);
    std::fflush(stdout);
}

// Content: one line by operation.
Result<nlohmann::json> check_content(const Options& options, const Plan& plan, const Device& device,
                                     Channel& peer) {
    const auto started = std::chrono::steady_clock::now();
    ContentCheck check(plan, device, peer, !options.server);
    if (auto ready = check.set_up(); !ready) {
        (void)peer.send({{"failed", ready.error().message}, {"status", 2}});
        return std::unexpected(ready.error());
    }
    nlohmann::json report{{"what", check.describe()}};
    if (!options.json)
        say("{}\n{:<12}{:>10}{:>14}\n", check.describe(), "operation", "messages", "bytes");
    const auto done =
        check.run([&](const OperationInfo& operation, const ContentCheck::Totals& totals) {
            report["operations"][std::string(operation.name)] = {{"messages", totals.messages},
                                                                 {"bytes", totals.bytes}};
            if (!options.json)
                say("{:<12}{:>10}{:>14}\n", operation.name, totals.messages, human(totals.bytes));
        });
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
    report["seconds"] = elapsed.count();
    if (!done) return std::unexpected(done.error());
    if (!options.json) say("every byte is right ({:.1f} s)\n", elapsed.count());
    return report;
}

// Behaviour, on errors or of extensions: one line by case.
template <BehaviourCheck check>
Result<nlohmann::json> check_behaviour(const Options& options, const Plan& plan,
                                       const Device& device, Channel& peer) {
    nlohmann::json report{{"cases", nlohmann::json::array()}};
    size_t complaints = 0;
    const auto done = check(plan, device, peer, !options.server, [&](const Finding& finding) {
        report["cases"].push_back(
            {{"name", finding.name}, {"seen", finding.seen}, {"complaint", finding.complaint}});
        if (!options.json)
            say("{} {:<46} {}\n", finding.complaint.empty() ? "right" : "WRONG", finding.name,
                finding.complaint.empty() ? finding.seen : finding.complaint);
        if (!finding.complaint.empty()) ++complaints;
    });
    if (!done) return std::unexpected(done.error());
    if (complaints > 0)
        return wrong(fmt::format("{} of {} cases", complaints, report["cases"].size()));
    return report;
}

// Atomics: one line by operation, from the server, where the words are.
Result<nlohmann::json> check_atomics(const Options& options, const Plan& plan, const Device& device,
                                     Channel& peer) {
    AtomicCheck check(plan, device, peer, !options.server);
    nlohmann::json report{{"found", nlohmann::json::array()}};
    const auto done = check.run([&](const std::string& line) {
        report["found"].push_back(line);
        if (!options.json) say("{}\n", line);
    });
    if (!done) return std::unexpected(done.error());
    return report;
}

Result<nlohmann::json> run_alone(const Options& options) {
    auto device = Device::open(options.device, options.gid_index, options.plan.ipv6);
    if (!device) return std::unexpected(device.error());
    nlohmann::json report{{"said", nlohmann::json::array()}};
    const auto done = check_removal(options.plan, std::move(*device), [&](const std::string& line) {
        report["said"].push_back(line);
        if (!options.json) say("{}\n", line);
    });
    if (!done) return std::unexpected(done.error());
    if (!options.json) say("all was destroyed\n");
    return report;
}

Result<nlohmann::json> run(const Options& options) {
    if (options.removal) return run_alone(options);
    Plan plan = options.plan;
    // The peer may itself wait for a completion for so long.
    const auto patience = static_cast<int>(2 * plan.timeout_seconds + 30);
    auto peer = options.server
                    ? Channel::accept(options.port, patience)
                    : Channel::connect(options.host, options.port, kConnectPatience, patience);
    if (!peer) return std::unexpected(peer.error());
    if (options.server) {
        auto received = peer->receive();
        if (!received) return std::unexpected(received.error());
        auto told = plan_from_json(*received);
        if (!told) return std::unexpected(told.error());
        plan = std::move(*told);
    } else if (auto sent = peer->send(to_json(plan)); !sent) {
        return std::unexpected(sent.error());
    }

    auto device = Device::open(options.device, options.gid_index, plan.ipv6);
    if (!device) {
        (void)peer->send({{"failed", device.error().message}, {"status", 2}});
        return std::unexpected(device.error());
    }
    const auto check = plan.errors       ? check_behaviour<check_errors>
                       : plan.extensions ? check_behaviour<check_extensions>
                       : plan.atomics    ? check_atomics
                                         : check_content;
    auto report = check(options, plan, *device, *peer);
    // Neither side is content before the other is.
    if (report)
        if (auto met = peer->barrier("finished"); !met) return std::unexpected(met.error());
    if (!report && report.error().status == ExitStatus::kWrong)
        (void)peer->send({{"failed", report.error().message}, {"status", 1}});
    return report;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = Options::parse(argc, argv);
    if (!options) return static_cast<int>(options.error());
    auto report = run(*options);
    const ExitStatus status = report ? ExitStatus::kRight : report.error().status;
    if (options->json) {
        nlohmann::json out = report ? *report : nlohmann::json{{"error", report.error().message}};
        out["status"] = static_cast<int>(status);
        fmt::print("{}\n", out.dump(2));
    } else if (!report) {
        fmt::print(stderr, "vrnic-check: {}: {}\n",
                   status == ExitStatus::kWrong ? "WRONG" : "failed", report.error().message);
    }
    return static_cast<int>(status);
}
