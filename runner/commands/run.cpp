// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic run 'CMD' ['CMD' ...]: one VM for each command, all on one link.
#include <memory>

#include "commands/command.h"
#include "commands/lab_flags.h"
#include "commands/printer.h"

namespace vrnic::runner {
namespace {

using std::chrono::seconds;

struct RunOptions {
    LabOptions lab;
    std::vector<std::string> commands;
    int timeout_s = 600;
    bool keep = false;
};

// How long a command may take to listen before the next one starts anyway.
constexpr auto order_wait = seconds(10);
// What the others get once one has failed.
constexpr auto grace = seconds(5);

bool is_done(Vm& vm) {
    return vm.step().finished;
}
bool is_failed(Vm& vm) {
    return vm.step().finished && *vm.step().status != 0;
}

// The VM whose command failed first, in the order in which they ended.
class FirstFailure {
  public:
    explicit FirstFailure(Lab& lab) : lab_(lab) {}

    // Looks again; to be asked on every turn of the loop.
    bool found() {
        for (std::size_t i = 0; i < lab_.size() && !vm_; ++i) {
            if (is_failed(lab_.vm(i))) vm_ = i;
        }
        return vm_.has_value();
    }
    [[nodiscard]] std::optional<std::size_t> vm() const { return vm_; }

  private:
    Lab& lab_;
    std::optional<std::size_t> vm_;
};

bool all_done(Lab& lab) {
    for (std::size_t i = 0; i < lab.size(); ++i) {
        if (!is_done(lab.vm(i)) && lab.vm(i).step().id != 0) return false;
    }
    return true;
}

// Starts the commands in their order: each when the VM before it listens, has ended its command,
// or has had its time.
Result<void> start_commands(Lab& lab, const std::vector<std::string>& commands,
                            FirstFailure& failure, Deadline deadline) {
    for (std::size_t i = 0; i < lab.size(); ++i) {
        if (auto started = lab.vm(i).start_step(commands[i]); !started) return started;
        if (i + 1 == lab.size()) break;
        const auto limit = std::min(deadline, Clock::now() + order_wait);
        auto waited = lab.wait(
            [&] {
                return failure.found() || is_done(lab.vm(i)) || lab.vm(i).step().listening_port;
            },
            limit, "no listening socket");
        if (!waited && waited.error().status != ExitStatus::timeout) return waited;
        if (failure.found()) break;
    }
    return {};
}

Result<int> run_commands(Lab& lab, const RunOptions& options) {
    const auto deadline = Clock::now() + seconds(options.timeout_s);
    FirstFailure failure(lab);
    if (auto started = start_commands(lab, options.commands, failure, deadline); !started)
        return std::unexpected(started.error());
    auto waited = lab.wait([&] { return failure.found() || all_done(lab); }, deadline, "");
    if (!waited) {
        if (waited.error().status == ExitStatus::timeout)
            return fail(ExitStatus::timeout, "the commands did not end within {} s",
                        options.timeout_s);
        return std::unexpected(waited.error());
    }
    if (!failure.vm()) return 0;

    // One failed: the others may end by themselves, and are then ended; they do not count.
    (void)lab.wait([&] { return all_done(lab); }, Clock::now() + grace, "");
    for (std::size_t i = 0; i < lab.size(); ++i) lab.vm(i).end_step();
    (void)lab.wait([&] { return all_done(lab); }, Clock::now() + grace, "");
    if (auto failed = lab.failure()) return std::unexpected(*failed);
    const int status = *lab.vm(*failure.vm()).step().status;
    lab.flush_output();
    print_remark(fmt::format("the command of {} failed with status {}",
                             lab.vm(*failure.vm()).name(), status));
    return status;
}

// What the kernels complained of: a broken kernel is never a success.
Result<void> judge_kernel_logs(Lab& lab) {
    std::optional<Error> fatal;
    for (std::size_t i = 0; i < lab.size(); ++i) {
        const auto complaints = lab.vm(i).new_complaints();
        if (complaints.empty()) continue;
        for (const auto& complaint : complaints) {
            if (complaint.kind != Complaint::warning && !fatal)
                fatal =
                    Error{ExitStatus::guest_panic, fmt::format("{}: the guest's kernel broke: {}",
                                                               lab.vm(i).name(), complaint.line)};
        }
        print_remark(fmt::format("warning: {}'s kernel complained: {}", lab.vm(i).name(),
                                 complaints.front().line));
    }
    if (fatal) return std::unexpected(*fatal);
    return {};
}

Result<int> boot_and_run(Session& session, const RunOptions& options, RunFolder& folder) {
    auto lab = session.boot(options.lab, folder.path(), print_guest_line,
                            seconds(std::min(options.timeout_s, 180)));
    if (!lab) return std::unexpected(lab.error());
    auto status = run_commands(**lab, options);
    (*lab)->flush_output();
    if (!status && status.error().status == ExitStatus::interrupted) return status;
    auto stopped = (*lab)->stop(seconds(status ? 20 : 5));
    if (auto judged = judge_kernel_logs(**lab); !judged && status)
        return std::unexpected(judged.error());
    if (!stopped && status) return std::unexpected(stopped.error());
    return status;
}

Result<int> run(Session& session, const RunOptions& options) {
    auto folder = session.make_run_folder();
    if (!folder) return std::unexpected(folder.error());
    auto status = boot_and_run(session, options, *folder);
    folder->keep_evidence(status, options.keep);
    return status;
}

}  // namespace

void add_run_command(CLI::App& app, ChosenCommand& chosen) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = app.add_subcommand("run", "boot one VM for each command and run them");
    command->footer(
        "Each guest has $DEV, its RDMA device, $NETDEV, $GID and $GID6, and knows the others as\n"
        "vm1, vm2, ... A command starts when the one before it listens on a TCP port, has ended,\n"
        "or after 10 s. The exit status is that of the first command to fail; 120 a guest's\n"
        "kernel panicked, or its own checks found a mistake in it; 121 QEMU died, 122 a guest\n"
        "ended early, 124 timeout, 125 set-up,\n"
        "130 interrupted.\n\n"
        "  ./vrnic run 'ib_write_bw -d $DEV -F' 'ib_write_bw -d $DEV -F vm1'");
    add_lab_flags(*command, options->lab);
    command->add_option("--timeout", options->timeout_s, "for the commands together, in seconds")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_flag("--keep", options->keep, "keep consoles and logs of a success, too");
    command->add_option("CMD", options->commands, "a shell command; the first one runs in vm1")
        ->required()
        ->expected(1, 8);
    command->callback([options, &chosen] {
        options->lab.vms = static_cast<int>(options->commands.size());
        chosen = [options](Session& session) { return run(session, *options); };
    });
}

}  // namespace vrnic::runner
