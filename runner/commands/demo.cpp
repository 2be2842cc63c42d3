// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic demo: two VMs move data by RDMA, and a table says how it went.
#include <unistd.h>

#include <array>
#include <memory>
#include <regex>

#include "commands/command.h"
#include "commands/lab_flags.h"
#include "commands/printer.h"
#include "commands/table.h"
#include "vm/client_server.h"

namespace vrnic::runner {
namespace {

using std::chrono::seconds;

// One thing that the demo shows. The figure is the pattern's first group in what vm2 printed.
struct DemoStep {
    const char* title;
    const char* vm1;  // the server's command; empty: vm2 alone
    const char* vm2;
    const char* figure;  // ECMAScript regular expression
    const char* unit;
};

// Columns of perftest's result lines: bandwidth's are size, iterations, peak, average; latency's
// size, iterations, minimum, maximum, typical.
constexpr const char* bandwidth_figure = R"(\n *\d+ +\d+ +[\d.]+ +([\d.]+))";
constexpr const char* latency_figure = R"(\n *\d+ +\d+ +[\d.]+ +[\d.]+ +([\d.]+))";

constexpr std::array steps{
    DemoStep{"ping, through the Ethernet side", "", "ping -c 5 -i 0.2 vm1",
             R"(mdev = [\d.]+/([\d.]+)/)", "ms"},
    DemoStep{"ibv_devinfo", "", "ibv_devinfo -d $DEV", R"(state:\s+PORT_(\w+))", ""},
    DemoStep{"ibv_rc_pingpong, 4 KiB", "ibv_rc_pingpong -d $DEV -g $GID -n 500",
             "ibv_rc_pingpong -d $DEV -g $GID -n 500 vm1", R"(= ([\d.]+) usec/iter)", "µs"},
    DemoStep{"ib_write_bw, 64 KiB", "ib_write_bw -d $DEV -F -s 65536 -n 1000",
             "ib_write_bw -d $DEV -F -s 65536 -n 1000 vm1", bandwidth_figure, "MiB/s"},
    DemoStep{"ib_read_bw, 64 KiB", "ib_read_bw -d $DEV -F -s 65536 -n 1000",
             "ib_read_bw -d $DEV -F -s 65536 -n 1000 vm1", bandwidth_figure, "MiB/s"},
    DemoStep{"ib_send_bw, 64 KiB", "ib_send_bw -d $DEV -F -s 65536 -n 1000",
             "ib_send_bw -d $DEV -F -s 65536 -n 1000 vm1", bandwidth_figure, "MiB/s"},
    DemoStep{"ib_write_lat, 64 B", "ib_write_lat -d $DEV -F -s 64",
             "ib_write_lat -d $DEV -F -s 64 vm1", latency_figure, "µs"},
    DemoStep{"ib_send_lat, 64 B", "ib_send_lat -d $DEV -F -s 64",
             "ib_send_lat -d $DEV -F -s 64 vm1", latency_figure, "µs"},
    DemoStep{"ib_read_lat, 64 B", "ib_read_lat -d $DEV -F -s 64",
             "ib_read_lat -d $DEV -F -s 64 vm1", latency_figure, "µs"},
    DemoStep{"vrnic-check, every byte compared", "vrnic-check --device $DEV --server",
             "vrnic-check --device $DEV vm1", R"(every byte is (right))", ""},
};

constexpr auto step_limit = seconds(60);

struct DemoOptions {
    LabOptions lab;
    bool keep = false;
};

class Demo {
  public:
    Demo(Lab& lab, std::array<std::string, 2>& printed) : lab_(lab), printed_(printed) {}

    // Shows all steps; true when all went well.
    [[nodiscard]] Result<bool> run() {
        bool good = true;
        for (const auto& step : steps) {
            show(fmt::format("  {} ...", step.title), false);
            auto figure = run_step(step);
            if (!figure && figure.error().status != ExitStatus::failure)
                return std::unexpected(figure.error());
            const std::string result = figure ? fmt::format("{} {}", *figure, step.unit) : "failed";
            show(fmt::format("  {} {}  {}", figure ? good_mark() : bad_mark(), step.title, result),
                 true);
            if (!figure) print_remark(figure.error().message);
            table_.add_row({step.title, result, figure ? good_mark() : bad_mark()});
            good = good && figure.has_value();
        }
        return good;
    }

    [[nodiscard]] std::string table() const { return table_.text(); }

  private:
    static bool terminal() { return ::isatty(STDOUT_FILENO) != 0; }
    static std::string good_mark() { return terminal() ? "\x1b[32m✓\x1b[0m" : "✓"; }
    static std::string bad_mark() { return terminal() ? "\x1b[31m✗\x1b[0m" : "✗"; }

    // A line that the next one replaces, unless it is final.
    static void show(const std::string& line, bool final) {
        if (terminal())
            fmt::print("\r\x1b[K{}{}", line, final ? "\n" : "");
        else if (final)
            fmt::print("{}\n", line);
        std::fflush(stdout);
    }

    Result<std::string> run_step(const DemoStep& step) {
        printed_.fill({});
        auto done = run_client_server(lab_, step.vm1, step.vm2, lab_.patience(step_limit));
        lab_.flush_output();
        if (!done && done.error().status == ExitStatus::failure)
            return fail(ExitStatus::failure, "{}\n{}", done.error().message, output());
        if (!done) return std::unexpected(done.error());
        std::smatch found;
        if (!std::regex_search(printed_[1], found, std::regex(step.figure)))
            return fail(ExitStatus::failure, "no result was printed\n{}", output());
        return found[1].str();
    }

    [[nodiscard]] std::string output() const {
        std::string text;
        for (std::size_t vm = 0; vm < printed_.size(); ++vm)
            text += fmt::format("--- vm{}\n{}", vm + 1, printed_[vm]);
        return text;
    }

    Lab& lab_;
    std::array<std::string, 2>& printed_;
    Table table_{{{"vm1 ⇄ vm2", Table::Align::left},
                  {"result", Table::Align::right},
                  {"", Table::Align::left}}};
};

// A kernel that complains is not what a demo should show.
Result<void> judge_kernels(Lab& lab) {
    for (std::size_t i = 0; i < lab.size(); ++i) {
        const auto complaints = lab.vm(i).new_complaints();
        if (!complaints.empty())
            return fail(ExitStatus::guest_panic, "{}'s kernel complained: {}", lab.vm(i).name(),
                        complaints.front().line);
    }
    return {};
}

Result<int> boot_and_show(Session& session, const DemoOptions& options, const RunFolder& folder) {
    std::array<std::string, 2> printed;
    fmt::print("Two VMs, each with a vrnic, joined by a cable.\n");
    std::fflush(stdout);
    // Set-up may take minutes; what is told below is how long the VMs take.
    if (auto prepared = session.prepare(options.lab); !prepared)
        return std::unexpected(prepared.error());
    const auto begin = Clock::now();
    auto lab = session.boot(
        options.lab, folder.path(),
        [&](std::size_t vm, std::string_view line) { printed[vm].append(line).append("\n"); },
        seconds(120));
    if (!lab) return std::unexpected(lab.error());
    const std::chrono::duration<double> boot = Clock::now() - begin;
    fmt::print("Both are up after {:.1f} s.\n", boot.count());

    Demo demo(**lab, printed);
    auto good = demo.run();
    if (!good) return std::unexpected(good.error());
    auto stopped = (*lab)->stop(seconds(20));
    if (auto judged = judge_kernels(**lab); !judged) return std::unexpected(judged.error());
    if (!stopped) return std::unexpected(stopped.error());

    const auto& nics = (*lab)->vm(0).spec().nics;
    const bool ours = nics.front().kind == protocol::NicKind::vrnic;
    fmt::print("\n{}", demo.table());
    if (*good && ours)
        fmt::print("No RDMA hardware was used. Next: ./vrnic run --help, ./vrnic shell\n");
    return *good ? 0 : 1;
}

Result<int> demo(Session& session, const DemoOptions& options) {
    auto folder = session.make_run_folder();
    if (!folder) return std::unexpected(folder.error());
    auto status = boot_and_show(session, options, *folder);
    folder->keep_evidence(status, options.keep);
    return status;
}

}  // namespace

void add_demo_command(CLI::App& app, ChosenCommand& chosen) {
    auto options = std::make_shared<DemoOptions>();
    CLI::App* command =
        app.add_subcommand("demo", "watch two VMs move data by RDMA; ends with a table");
    add_lab_flags(*command, options->lab);
    command->add_flag("--keep", options->keep, "keep consoles and logs of a success, too");
    command->callback([options, &chosen] {
        options->lab.vms = 2;
        chosen = [options](Session& session) { return demo(session, *options); };
    });
}

}  // namespace vrnic::runner
