// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic run 'CMD' ['CMD' ...]: one VM for each command, all on one link.
#include <memory>

#include "commands/command.h"
#include "commands/lab_flags.h"
#include "commands/printer.h"
#include "commands/run_report.h"

namespace vrnic::runner {
namespace {

using std::chrono::seconds;

struct RunOptions {
    LabOptions lab;
    std::vector<std::string> commands;
    int timeout_s = 600;
    bool keep = false;
    std::filesystem::path junit;
    std::filesystem::path json;
};

// From the start of the VMs to their readiness. Not a part of --timeout, which is the commands'.
constexpr auto boot_limit = seconds(180);
// What the others get once one has failed, and what ending them may take.
constexpr auto grace = seconds(5);

// The VM whose command failed first, in the order in which the guests reported.
class FirstFailure {
  public:
    explicit FirstFailure(Lab& lab) : lab_(lab) {}

    // Looks again; to be asked on every turn of the loop.
    bool found() {
        if (vm_) return true;
        for (std::size_t i = 0; i < lab_.size(); ++i) {
            const StepState& step = lab_.vm(i).step();
            if (step.status.value_or(0) == 0) continue;
            if (!vm_ || step.ended_at < lab_.vm(*vm_).step().ended_at) vm_ = i;
        }
        return vm_.has_value();
    }
    [[nodiscard]] std::optional<std::size_t> vm() const { return vm_; }

  private:
    Lab& lab_;
    std::optional<std::size_t> vm_;
};

// All that were started.
bool all_done(Lab& lab) {
    for (std::size_t i = 0; i < lab.size(); ++i) {
        if (!lab.vm(i).idle()) return false;
    }
    return true;
}

// "vm1" or "vm1 and vm3": those whose commands run.
std::string still_running(Lab& lab) {
    std::string names;
    for (std::size_t i = 0; i < lab.size(); ++i) {
        if (!lab.vm(i).idle()) names += (names.empty() ? "" : " and ") + lab.vm(i).name();
    }
    return names;
}

// Starts the commands in their order: each when the VM before it listens, has ended its command,
// or has had its time.
Result<void> start_commands(Lab& lab, const std::vector<std::string>& commands,
                            FirstFailure& failure, Deadline deadline) {
    for (std::size_t i = 0; i < lab.size(); ++i) {
        if (auto started = lab.vm(i).start_step(commands[i]); !started) return started;
        if (i + 1 == lab.size()) break;
        auto waited = lab.wait_for_listener(lab.vm(i), deadline, [&] { return failure.found(); });
        if (!waited) return waited;
        if (failure.found()) break;
    }
    return {};
}

// One failed: the others may end by themselves, and are then ended. How they end does not count;
// only an interrupt does.
Result<void> end_others(Lab& lab) {
    for (int round = 0; round < 2; ++round) {
        auto ended = lab.wait([&] { return all_done(lab); }, Clock::now() + grace, "");
        if (!ended && ended.error().status == ExitStatus::interrupted) return ended;
        if (!ended && ended.error().status != ExitStatus::timeout) {
            print_remark(fmt::format("warning: {}", ended.error().message));
            break;
        }
        for (std::size_t i = 0; i < lab.size(); ++i) lab.vm(i).end_step();
    }
    lab.flush_output();
    return {};
}

Result<int> run_commands(Lab& lab, const RunOptions& options) {
    // A person with a debugger takes his time.
    const auto deadline =
        options.lab.gdb.empty() ? Clock::now() + seconds(options.timeout_s) : Deadline::max();
    FirstFailure failure(lab);
    if (auto started = start_commands(lab, options.commands, failure, deadline); !started)
        return std::unexpected(started.error());
    auto waited = lab.wait([&] { return failure.found() || all_done(lab); }, deadline, "");
    if (!waited) {
        if (waited.error().status == ExitStatus::timeout)
            return fail(ExitStatus::timeout, "the command of {} did not end within {} s",
                        still_running(lab), options.timeout_s);
        return std::unexpected(waited.error());
    }
    if (!failure.vm()) return 0;

    const Vm& failed = lab.vm(*failure.vm());
    if (auto ended = end_others(lab); !ended) return std::unexpected(ended.error());
    const int status = *failed.step().status;
    print_remark(fmt::format("the command of {} failed with status {}", failed.name(), status));
    return status;
}

// What the kernels complained of, one line for each: a broken kernel is never a success.
Result<void> judge_kernel_logs(Lab& lab) {
    std::optional<Error> fatal;
    for (std::size_t i = 0; i < lab.size(); ++i) {
        const std::string name = lab.vm(i).name();
        const auto complaints = lab.vm(i).new_complaints();
        if (complaints.empty()) continue;
        const auto broke = std::ranges::find_if(
            complaints, [](const auto& complaint) { return complaint.kind != Complaint::warning; });
        if (broke != complaints.end() && !fatal) {
            fatal = Error{ExitStatus::guest_panic,
                          fmt::format("{}: the guest's kernel broke: {}", name, broke->line)};
            continue;
        }
        const auto& worst = broke != complaints.end() ? *broke : complaints.front();
        print_remark(fmt::format("warning: {}'s kernel complained: {}", name, worst.line));
    }
    if (fatal) return std::unexpected(*fatal);
    return {};
}

Result<int> boot_and_run(Session& session, const RunOptions& options, RunFolder& folder,
                         RunReport& report) {
    auto lab = session.boot(
        options.lab, folder.path(),
        [&](std::size_t vm, std::string_view line) {
            print_guest_line(vm, line);
            report.add_line(vm, line);
        },
        boot_limit);
    if (!lab) return std::unexpected(lab.error());
    auto status = run_commands(**lab, options);
    (*lab)->flush_output();
    for (std::size_t i = 0; i < (*lab)->size(); ++i)
        report.add_command(i, options.commands[i], (*lab)->vm(i).step());
    if (!status && status.error().status == ExitStatus::interrupted) return status;
    auto stopped = (*lab)->stop(seconds(status ? 20 : 5));
    if (auto judged = judge_kernel_logs(**lab); !judged && status)
        return std::unexpected(judged.error());
    if (!stopped && status && *status == 0) return std::unexpected(stopped.error());
    return status;
}

Result<int> run(Session& session, const RunOptions& options) {
    auto folder = session.make_run_folder();
    if (!folder) return std::unexpected(folder.error());
    const bool wanted = !options.junit.empty() || !options.json.empty();
    RunReport report(wanted);
    auto status = boot_and_run(session, options, *folder, report);
    folder->keep_evidence(status, options.keep);
    if (!wanted) return status;
    if (auto written = report.write(status, options.junit, options.json); !written && status)
        return std::unexpected(written.error());
    return status;
}

}  // namespace

void add_run_command(CLI::App& app, ChosenCommand& chosen) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = app.add_subcommand("run", "boot one VM for each command and run them");
    command->footer(
        "Each guest has $DEV, its RDMA device, $NETDEV, $GID and $GID6, and knows the others as\n"
        "vm1, vm2, ... A command starts when the one before it listens on a TCP port, has ended,\n"
        "or after 10 s. The exit status is that of the first command to fail (the others get 5 s\n"
        "then, and do not count); 120 a guest's kernel panicked, oopsed, or its own checks found "
        "a\n"
        "mistake in it, 121 QEMU died, 122 a guest ended early, 124 timeout, 125 set-up,\n"
        "130 interrupted.\n\n"
        "  ./vrnic run 'ib_write_bw -d $DEV -F' 'ib_write_bw -d $DEV -F vm1'");
    add_lab_flags(*command, options->lab);
    command->add_option("--timeout", options->timeout_s, "for the commands together, in seconds")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_flag("--keep", options->keep, "keep consoles and logs of a success, too");
    command->add_option("--junit", options->junit,
                        "write how it went as JUnit XML: a case for each command, and for each\n"
                        "result of a command that prints KTAP");
    command->add_option("--json", options->json, "the same as JSON");
    command->add_option("CMD", options->commands, "a shell command; the first one runs in vm1")
        ->required()
        ->expected(1, 8);
    command->callback([options, &chosen] {
        options->lab.vms = static_cast<int>(options->commands.size());
        chosen = [options](Session& session) { return run(session, *options); };
    });
}

}  // namespace vrnic::runner
