// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic bench: vrnic and rdma_rxe side by side, in the same VMs, by the same perftest lines.
#include <fstream>
#include <memory>

#include "base/local_time.h"
#include "bench/limits.h"
#include "bench/page.h"
#include "bench/perftest.h"
#include "bench/plan.h"
#include "bench/results.h"
#include "commands/command.h"
#include "commands/lab_flags.h"
#include "commands/printer.h"
#include "commands/table.h"
#include "vm/client_server.h"

namespace vrnic::runner {
namespace {

using namespace bench;
using std::chrono::seconds;
namespace fs = std::filesystem;

struct BenchOptions {
    LabOptions lab;
    std::vector<int> mtus{1500, 9000};
    int rounds = 5;
    bool quick = false;
    std::string only;  // a part of the lines' names; empty: all
    fs::path json;
    fs::path html;
};

// The second NIC of each VM is rdma_rxe's.
struct Contestant {
    const char* name;
    const char* device;
    const char* gid;
    const char* server;  // vm1 on its link
    Samples Comparison::*samples;
};
constexpr Contestant contestants[] = {
    {"vrnic", "DEV", "GID", "vm1", &Comparison::vrnic},
    {"rdma_rxe", "DEV2", "GID2", "vm1-2", &Comparison::rxe},
};

constexpr auto line_limit = seconds(60);
// After a failure the VMs are booted anew, so that the next measurement begins as all others do:
// rdma_rxe is known to leave its kernel without memory, or to bring it down.
constexpr int most_reboots = 20;

// Measures at one MTU.
class Bench {
  public:
    Bench(Session& session, const BenchOptions& options, int mtu, const fs::path& folder)
        : session_(session),
          lab_options_(options.lab),
          options_(options),
          mtu_(mtu),
          folder_(folder) {
        lab_options_.mtu = mtu;
    }

    Result<std::vector<Comparison>> run() {
        std::vector<Comparison> all;
        for (const auto& measurement : plan(options_.quick, options_.only)) {
            Comparison comparison{.measurement = measurement, .mtu = mtu_, .vrnic = {}, .rxe = {}};
            for (int round = 0; round < options_.rounds; ++round) {
                for (const auto& contestant : contestants) {
                    if (auto done = sample(contestant, comparison); !done)
                        return std::unexpected(done.error());
                }
            }
            show(comparison);
            all.push_back(std::move(comparison));
        }
        if (lab_) (void)lab_->stop(seconds(10));
        return all;
    }

  private:
    Result<void> boot() {
        if (lab_) return {};
        auto lab = session_.boot(
            lab_options_, folder_ / fmt::format("mtu{}-{}", mtu_, boots_++),
            [this](std::size_t vm, std::string_view line) {
                if (vm == 1) printed_.append(line).append("\n");
            },
            seconds(120));
        if (!lab) return std::unexpected(lab.error());
        lab_ = std::move(*lab);
        return {};
    }

    // One run of one contestant. What fails is kept with the result; an error ends the bench.
    Result<void> sample(const Contestant& contestant, Comparison& comparison) {
        if (auto booted = boot(); !booted) return booted;
        Samples& samples = comparison.*contestant.samples;
        const auto line = comparison.measurement.command(contestant.device, contestant.gid);
        printed_.clear();
        auto done = run_client_server(*lab_, line, line + " " + contestant.server, line_limit);
        lab_->flush_output();
        if (!done && done.error().status == ExitStatus::interrupted) return done;
        if (!done) {
            if (boots_ > most_reboots) return done;
            lab_.reset();
        }
        const auto figure =
            done ? perftest_figure(printed_, comparison.measurement.quantity) : std::nullopt;
        if (figure)
            samples.figures.push_back(*figure);
        else
            samples.failures.push_back(done ? "perftest printed no figure" : done.error().message);
        return {};
    }

    void show(const Comparison& one) const {
        const auto quantity = one.measurement.quantity;
        fmt::print("  MTU {:<5} {:<24} vrnic {:>11}   rdma_rxe {:>11}   {:>6}\n", mtu_,
                   one.measurement.name(), figure_text(one.vrnic.median(), quantity),
                   figure_text(one.rxe.median(), quantity),
                   one.ratio() > 0 ? fmt::format("{:.1f} x", one.ratio()) : "");
        for (const auto& contestant : contestants) {
            const auto& failures = (one.*contestant.samples).failures;
            if (!failures.empty())
                fmt::print("      {} failed {} times: {}\n", contestant.name, failures.size(),
                           failures.front());
        }
        std::fflush(stdout);
    }

    Session& session_;
    LabOptions lab_options_;
    const BenchOptions& options_;
    int mtu_;
    fs::path folder_;
    std::unique_ptr<Lab> lab_;
    std::string printed_;  // by the client
    int boots_ = 0;
};

Result<void> write_file(const fs::path& path, const std::string& text) {
    if (path.empty()) return {};
    std::ofstream file(path);
    file << text;
    file.flush();
    if (!file) return fail(ExitStatus::failure, "cannot write {}", path.string());
    return {};
}

Result<int> compare(Session& session, const BenchOptions& options) {
    if (plan(options.quick, options.only).empty())
        return fail(ExitStatus::setup, "no line has \"{}\" in its name", options.only);
    auto folder = session.make_run_folder();
    if (!folder) return std::unexpected(folder.error());
    if (auto prepared = session.prepare(options.lab); !prepared)
        return std::unexpected(prepared.error());
    Results results{.date = local_time("%Y-%m-%d %H:%M"),
                    .kernel = options.lab.kernel,
                    .guest = options.lab.guest,
                    .qemu = options.lab.qemu,
                    .accel = options.lab.accel,
                    .rounds = options.rounds,
                    .limits = measure_limits(),
                    .comparisons = {}};
    fmt::print(
        "vrnic beside rdma_rxe: the same VMs and perftest lines, in turns; medians of {} rounds\n"
        "  this host: memcpy {:.0f} MiB/s; nothing but a send call for each frame: {:.0f} MiB/s at "
        "MTU 1500, {:.0f} at 9000\n",
        options.rounds, results.limits.copy, results.limits.frames_1500,
        results.limits.frames_9000);
    std::fflush(stdout);
    for (const int mtu : options.mtus) {
        auto measured = Bench(session, options, mtu, folder->path()).run();
        if (!measured) return std::unexpected(measured.error());
        std::ranges::move(*measured, std::back_inserter(results.comparisons));
    }
    if (auto written = write_file(options.json, results.json().dump(2) + "\n"); !written)
        return std::unexpected(written.error());
    if (auto written = write_file(options.html, page(results)); !written)
        return std::unexpected(written.error());
    const bool whole = std::ranges::all_of(results.comparisons, [](const Comparison& one) {
        return one.vrnic.failures.empty() && one.vrnic.median() > 0;
    });
    if (!whole) print_remark("vrnic failed in some lines");
    return whole ? 0 : 1;
}

}  // namespace

void add_bench_command(CLI::App& app, ChosenCommand& chosen) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* command = app.add_subcommand("bench", "how fast vrnic is, beside rdma_rxe");
    command->footer(
        "Two VMs have both devices on links of the same kind. Each perftest line is run with one "
        "and\n"
        "the other in turns. All of it takes about half an hour, --quick a few minutes. Figures of "
        "a\n"
        "host that does something else meanwhile say little; their ratio says more.");
    command->add_option("--json", options->json, "write all figures to this file");
    command->add_option("--html", options->html, "write a page with plots to this file");
    command->add_option("--rounds", options->rounds, "measurements of each line")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    command->add_flag("--quick", options->quick, "fewer sizes, one queue pair");
    command->add_option("--only", options->only,
                        "lines whose names contain this, as \"write_bw 64 B\"");
    command->add_option("--mtu", options->mtus, "of the links")
        ->capture_default_str()
        ->delimiter(',')
        ->check(CLI::Range(1280, 9000));
    add_kernel_flag(*command, options->lab);
    add_qemu_flag(*command, options->lab);
    add_accel_flag(*command, options->lab);
    command->callback([options, &chosen] {
        options->lab.vms = 2;
        options->lab.rxe_beside = true;
        options->lab.memory_mib = 2048;  // rdma_rxe queues without bound
        chosen = [options](Session& session) { return compare(session, *options); };
    });
}

}  // namespace vrnic::runner
