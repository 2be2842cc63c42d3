// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/system_suite.h"

#include <algorithm>
#include <regex>

#include "setup/build.h"
#include "setup/guest.h"
#include "suites/capture_check.h"
#include "suites/expected_skips.h"
#include "suites/ktap.h"

namespace vrnic::runner {
namespace {

using std::chrono::seconds;

constexpr auto boot_limit = seconds(120);

// What each VM printed during a case, no more than is worth keeping.
class Transcript {
  public:
    void add(std::size_t vm, std::string_view line) {
        constexpr std::size_t most = 1024 * 1024;
        if (printed_.size() <= vm) printed_.resize(vm + 1);
        if (printed_[vm].size() < most) printed_[vm].append(line).append("\n");
    }
    void clear() { printed_.clear(); }

    [[nodiscard]] std::string of(std::size_t vm) const {
        return vm < printed_.size() ? printed_[vm] : std::string();
    }
    // The last lines of every VM, for a person who looks for the reason.
    [[nodiscard]] std::string tails() const {
        std::string text;
        for (std::size_t vm = 0; vm < printed_.size(); ++vm) text += tail(vm);
        return text;
    }

  private:
    [[nodiscard]] std::string tail(std::size_t vm) const {
        constexpr int lines = 8;
        const std::string& all = printed_[vm];
        std::size_t begin = all.size();
        for (int line = 0; line <= lines && begin != std::string::npos && begin > 0; ++line)
            begin = all.rfind('\n', begin - 1);
        begin = begin == std::string::npos ? 0 : begin;
        std::string text;
        LineCutter cut([&](std::string_view line) {
            if (!line.empty()) text += fmt::format("  vm{} | {}\n", vm + 1, line);
        });
        cut.take(std::string_view(all).substr(begin));
        cut.finish();
        return text;
    }

    std::vector<std::string> printed_;
};

Result<void> expect_success(Vm& vm) {
    const int status = vm.step().status.value_or(0);
    if (status == 0) return {};
    return fail(ExitStatus::failure, "{}'s command failed with status {}", vm.name(), status);
}

// A command that already failed makes waiting for another one's end pointless.
bool another_failed(Lab& lab, const Vm& but) {
    for (std::size_t i = 0; i < lab.size(); ++i) {
        Vm& vm = lab.vm(i);
        if (&vm != &but && vm.step().finished && *vm.step().status != 0) return true;
    }
    return false;
}

Result<void> wait_for_end(Lab& lab, Vm& vm, Deadline deadline) {
    const auto what = fmt::format("{}'s command did not end", vm.name());
    auto waited = lab.wait([&] { return vm.idle() || another_failed(lab, vm); }, deadline, what);
    if (!waited) return waited;
    if (vm.idle()) return expect_success(vm);
    for (std::size_t i = 0; i < lab.size(); ++i) {
        if (auto good = expect_success(lab.vm(i)); lab.vm(i).idle() && !good) return good;
    }
    return {};
}

class CaseRun {
  public:
    CaseRun(Lab& lab, Deadline deadline) : lab_(lab), deadline_(deadline) {}

    [[nodiscard]] Result<void> act(const Action& action) {
        Vm& vm = lab_.vm(static_cast<std::size_t>(action.vm));
        switch (action.kind) {
            case Action::Kind::serve:
                return serve(vm, action.text);
            case Action::Kind::start:
                return start(vm, action.text);
            case Action::Kind::run:
                if (auto started = start(vm, action.text); !started) return started;
                return wait_for_end(lab_, vm, deadline_);
            case Action::Kind::finish:
                return wait_for_end(lab_, vm, deadline_);
            case Action::Kind::end:
                return end(vm);
            case Action::Kind::unplug:
                return vm.unplug(0, deadline_);
            case Action::Kind::plug:
                return vm.plug(0, deadline_);
            case Action::Kind::link:
                return vm.set_link(0, action.text == "up", deadline_);
            case Action::Kind::faults:
                return vm.set_faults(0, action.text, deadline_);
            case Action::Kind::surprise_removed:
                return vm.set_surprise_removed(0, action.text == "on", deadline_);
            case Action::Kind::sleep:
                return sleep(action.seconds);
        }
        return {};
    }

  private:
    Result<void> start(Vm& vm, const std::string& command) {
        if (!vm.idle())
            return fail(ExitStatus::failure, "{} still runs its last command", vm.name());
        return vm.start_step(command);
    }

    Result<void> serve(Vm& vm, const std::string& command) {
        if (auto started = start(vm, command); !started) return started;
        if (auto waited = lab_.wait_for_listener(vm, deadline_); !waited) return waited;
        return vm.step().finished ? expect_success(vm) : Result<void>();
    }

    Result<void> end(Vm& vm) {
        vm.end_step();
        auto ended = lab_.wait([&] { return vm.idle(); }, deadline_,
                               fmt::format("{}'s command could not be ended", vm.name()));
        if (ended) vm.forget_status();
        return ended;
    }

    Result<void> sleep(double how_long) {
        const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                              std::chrono::duration<double>(how_long));
        auto waited = lab_.wait([] { return false; }, until, "");
        if (!waited && waited.error().status != ExitStatus::timeout) return waited;
        return {};
    }

    Lab& lab_;
    Deadline deadline_;
};

// Runs one group's cases, booting its VMs when there are none.
class GroupRun {
  public:
    GroupRun(Session& session, const SystemGroup& group, Report& report, bool keep)
        : session_(session), group_(group), report_(report), keep_(keep) {}

    [[nodiscard]] Result<void> run(const Selection& selection) {
        const auto chosen = [&](const SystemCase& one) {
            return selection.has_case(group_.suite, one.name);
        };
        if (std::ranges::none_of(group_.cases, chosen)) return {};
        // What cannot be built or fetched is told once, not for each case.
        if (const auto ready = session_.prepare(group_.lab); !ready) {
            if (ready.error().status == ExitStatus::interrupted)
                return std::unexpected(ready.error());
            tell(group_.name + ": set-up", std::unexpected(ready.error()), {});
            return {};
        }
        for (const auto& one : group_.cases) {
            if (!chosen(one)) continue;
            report_.running(group_.suite, one.name);
            const auto begin = Clock::now();
            auto done = run_case(one);
            if (!done && done.error().status == ExitStatus::interrupted) return done;
            tell(one.name, done, Clock::now() - begin);
            if (one.ktap) tell_ktap(one, selection);
            if (!done) discard_lab();
        }
        return end(selection);
    }

  private:
    void tell(const std::string& name, const Result<void>& done, Clock::duration time) {
        CaseResult result{.suite = group_.suite,
                          .name = name,
                          .outcome = Outcome::passed,
                          .time = time,
                          .message = {}};
        if (!done) {
            result.outcome = Outcome::failed;
            result.message = done.error().message;
            if (lab_) lab_->flush_output();
            if (!transcript_.tails().empty()) result.message += "\n" + transcript_.tails();
            if (folder_) {
                folder_->keep();
                result.message += "\n  consoles and logs: " + folder_->path().string();
            }
        }
        report_.add(std::move(result));
    }

    // What a test in the guest said of its own parts. That it skipped one is a reason to skip it
    // only when the case's list says so.
    void tell_ktap(const SystemCase& one, const Selection& selection) {
        auto results = read_ktap(transcript_.of(static_cast<std::size_t>(*one.ktap)));
        for (auto& [part, outcome, message] : judge_skips(std::move(results), one.skips)) {
            const std::string name = one.name + ": " + part;
            if (!selection.has_case(group_.suite, name)) continue;
            report_.add({group_.suite, name, outcome, {}, message});
        }
    }

    Result<void> boot() {
        if (lab_) return {};
        auto folder = session_.make_run_folder();
        if (!folder) return std::unexpected(folder.error());
        folder_.emplace(std::move(*folder));
        if (keep_) folder_->keep();
        LabOptions options = group_.lab;
        if (group_.check_capture) options.capture = capture_file();
        if (!group_.modules.empty()) {
            auto built = build_modules(options);
            if (!built) return std::unexpected(built.error());
            options.share = std::move(*built);
        }
        auto lab = session_.boot(
            options, folder_->path(),
            [this](std::size_t vm, std::string_view line) { transcript_.add(vm, line); },
            boot_limit);
        if (!lab) return std::unexpected(lab.error());
        lab_ = std::move(*lab);
        return {};
    }

    // For the guests' kernel. They may include the driver's headers, which lie beside when it is
    // built.
    Result<std::filesystem::path> build_modules(const LabOptions& lab) {
        if (auto ready = session_.prepare(lab); !ready) return std::unexpected(ready.error());
        const auto image = setup::guest_image(
            session_.context(), {.guest = lab.guest, .kernel = lab.kernel, .with = {}});
        if (!image) return std::unexpected(image.error());
        return setup::build_test_modules(session_.context(), *image,
                                         fmt::format("tests/{}/{}", group_.suite, group_.modules));
    }

    Result<void> run_case(const SystemCase& one) {
        transcript_.clear();
        if (auto booted = boot(); !booted) return booted;
        CaseRun run(*lab_, Clock::now() + lab_->patience(seconds(one.time_s)));
        for (const auto& action : one.before)
            if (auto done = run.act(action); !done) return done;
        for (int round = 1; round <= one.repeat; ++round) {
            for (const auto& action : one.actions) {
                auto done = run.act(action);
                if (!done && one.repeat > 1)
                    done.error().message = fmt::format("round {}: {}", round, done.error().message);
                if (!done) return done;
            }
        }
        lab_->flush_output();
        for (const auto& [vm, pattern] : one.expect) {
            const std::string printed = transcript_.of(static_cast<std::size_t>(vm));
            if (!std::regex_search(printed, std::regex(pattern)))
                return fail(ExitStatus::failure, "vm{} did not print /{}/", vm + 1, pattern);
        }
        return judge_kernels();
    }

    Result<void> judge_kernels() {
        for (std::size_t i = 0; i < lab_->size(); ++i) {
            const auto complaints = lab_->vm(i).new_complaints();
            if (!complaints.empty())
                return fail(ExitStatus::guest_panic, "{}'s kernel complained: {}",
                            lab_->vm(i).name(), complaints.front().line);
        }
        return {};
    }

    // After a failure: for the logs' sake the guests are asked to power off, then they are ended.
    void discard_lab() {
        if (lab_) (void)lab_->stop(seconds(5));
        lab_.reset();
    }

    // Powering off is a case of its own when it goes wrong, and may bring complaints too.
    Result<void> end(const Selection& selection) {
        const bool lasted = lab_ != nullptr;
        if (lasted) {
            const auto begin = Clock::now();
            auto stopped = lab_->stop(seconds(20));
            if (stopped) stopped = judge_kernels();
            if (!stopped) tell(group_.name + ": power-off", stopped, Clock::now() - begin);
            lab_.reset();
        }
        const std::string name = capture_case_name(group_);
        if (group_.check_capture && selection.has_case(group_.suite, name)) {
            transcript_.clear();
            const auto begin = Clock::now();
            const auto checked =
                lasted ? check_capture(session_.loop(), capture_file())
                       : fail(ExitStatus::failure, "the VMs did not last to the capture's end");
            if (!checked && checked.error().status == ExitStatus::interrupted) return checked;
            tell(name, checked, Clock::now() - begin);
        }
        folder_.reset();
        return {};
    }

    [[nodiscard]] std::filesystem::path capture_file() const {
        return folder_->path() / "link.pcap";
    }

    Session& session_;
    const SystemGroup& group_;
    Report& report_;
    bool keep_;
    Transcript transcript_;
    std::optional<RunFolder> folder_;
    std::unique_ptr<Lab> lab_;
};

}  // namespace

std::string capture_case_name(const SystemGroup& group) {
    return group.name + ": the capture decodes, with right ICRCs";
}

Result<void> run_system_suite(Session& session, const std::vector<SystemGroup>& groups,
                              const Selection& selection, bool keep, Report& report) {
    for (const auto& group : groups) {
        if (auto done = GroupRun(session, group, report, keep).run(selection); !done) return done;
    }
    return {};
}

}  // namespace vrnic::runner
