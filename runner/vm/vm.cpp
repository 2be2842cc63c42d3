// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/vm.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "base/socket_pair.h"
#include "vm/qemu_command.h"

namespace vrnic::runner {
namespace {

// Descriptors in QEMU's process: above the standard ones, fixed so that command lines compare.
constexpr int first_fd = 10;

// Of a guest's processors, above this process' own, see put_processors_behind_device(). More would
// let them wait for other programs of a busy host, at worst while they hold the lock that the
// device needs, too.
constexpr int vcpu_niceness = 5;

Result<void> write_text(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.flush();
    if (!file) return fail(ExitStatus::setup, "cannot write {}: is the disk full?", path.string());
    return {};
}

Result<void> prepare_folder(const VmSpec& spec) {
    std::error_code error;
    std::filesystem::create_directories(spec.job_folder(), error);
    if (error)
        return fail(ExitStatus::setup, "cannot make {}: {}", spec.job_folder().string(),
                    error.message());
    protocol::VmConfig config;
    config.number = spec.number;
    config.count = spec.count;
    config.mtu = spec.mtu;
    for (const auto& nic : spec.nics) config.nics.push_back({nic.kind, nic.mac});
    return write_text(spec.job_folder() / protocol::config_file, protocol::to_text(config));
}

std::string quoted(const std::vector<std::string>& argv) {
    std::string text;
    for (const auto& argument : argv) {
        char* shell = g_shell_quote(argument.c_str());
        text.append(shell).append(text.empty() ? " \\\n  " : " ");
        g_free(shell);
    }
    return text + "\n";
}

int number_of(std::string_view word) {
    return std::atoi(std::string(word).c_str());
}

}  // namespace

Result<std::unique_ptr<Vm>> Vm::start(EventLoop& loop, VmSpec spec, std::vector<UniqueFd> links,
                                      OnOutput on_output) {
    if (auto prepared = prepare_folder(spec); !prepared) return std::unexpected(prepared.error());
    auto qmp = make_socket_pair();
    auto status = make_socket_pair();
    auto output = make_socket_pair();
    auto console = make_socket_pair();
    auto shell = make_socket_pair();
    for (const auto* pair : {&qmp, &status, &output, &console, &shell}) {
        if (!*pair) return std::unexpected(pair->error());
    }

    QemuFds numbers{.qmp = first_fd,
                    .status = first_fd + 1,
                    .output = first_fd + 2,
                    .console = first_fd + 3,
                    .shell = first_fd + 4,
                    .gdb = first_fd + 5,
                    .links = {}};
    ChildCommand command;
    command.fds.push_back({std::move(qmp->second), numbers.qmp});
    command.fds.push_back({std::move(status->second), numbers.status});
    command.fds.push_back({std::move(output->second), numbers.output});
    command.fds.push_back({std::move(console->second), numbers.console});
    if (spec.shell) command.fds.push_back({std::move(shell->second), numbers.shell});
    std::uint16_t gdb_port = 0;
    if (spec.gdb) {
        auto listener = listen_locally();
        if (!listener) return std::unexpected(listener.error());
        gdb_port = listener->port;
        command.fds.push_back({std::move(listener->fd), numbers.gdb});
    }
    for (std::size_t link = 0; link < links.size(); ++link) {
        numbers.links.push_back(first_fd + 6 + static_cast<int>(link));
        command.fds.push_back({std::move(links[link]), numbers.links.back()});
    }
    command.argv = qemu_command(spec, numbers);
    command.output_file = spec.qemu_log();
    if (auto saved = write_text(spec.folder / "command.txt", quoted(command.argv)); !saved)
        return std::unexpected(saved.error());

    std::unique_ptr<Vm> vm(new Vm(loop, std::move(spec), std::move(on_output)));
    vm->gdb_port_ = gdb_port;
    vm->output_file_.reset(std::fopen(vm->spec_.output_file().c_str(), "w"));
    auto process = ChildProcess::start(std::move(command));
    if (!process) return std::unexpected(process.error());
    vm->process_ = std::move(*process);

    Vm* self = vm.get();
    vm->qmp_ = std::make_unique<Qmp>(
        std::move(qmp->first),
        [self](const std::string& name, const Qmp::Json& data) { self->on_qmp_event(name, data); });
    vm->status_lines_ = std::make_unique<LineCutter>(
        [self](std::string_view line) { self->on_status_line(line); }, 4096);
    vm->status_ = std::make_unique<Stream>(
        std::move(status->first), [self](std::string_view b) { self->status_lines_->take(b); });
    vm->output_ = std::make_unique<Stream>(
        std::move(output->first), [self](std::string_view b) { self->on_output_bytes(b); });
    vm->console_ = std::make_unique<Stream>(
        std::move(console->first), [self](std::string_view b) { self->console_log_.take(b); });
    if (vm->spec_.shell)
        vm->shell_ = std::make_unique<Stream>(std::move(shell->first), [self](std::string_view b) {
            if (self->on_shell_) self->on_shell_(b);
        });
    return vm;
}

Vm::Vm(EventLoop& loop, VmSpec spec, OnOutput on_output)
    : loop_(loop),
      spec_(std::move(spec)),
      on_output_(std::move(on_output)),
      console_log_(spec_.console_file()) {}

void Vm::on_status_line(std::string_view line) {
    const auto words = protocol::words(line, 4);
    if (words.empty()) return;
    if (words[0] == "hello" && words.size() >= 2) {
        agent_up_ = true;
        if (number_of(words[1]) != protocol::version && !failure_)
            failure_ = Error{ExitStatus::setup,
                             fmt::format("{}: its agent speaks version {} of the protocol, not {}",
                                         name(), words[1], protocol::version)};
    } else if (words[0] == "ready") {
        ready_ = true;
    } else if (words[0] == "shell-ended") {
        shell_ended_ = true;
    } else if (words[0] == "failed") {
        const auto text = line.size() > 7 ? line.substr(7) : "no reason given";
        if (!failure_) failure_ = Error{ExitStatus::setup, fmt::format("{}: {}", name(), text)};
    } else if (words.size() >= 2 && number_of(words[1]) == step_.id) {
        if (words[0] == "listening" && words.size() >= 3)
            step_.listening_port = number_of(words[2]);
        if (words[0] == "status" && words.size() >= 4 && !step_.status) {
            step_.status = number_of(words[2]) & 0xff;
            step_.ended_at = Clock::now();
            step_.output_goal += std::strtoull(std::string(words[3]).c_str(), nullptr, 10);
            finish_step_if_complete();
        }
    }
}

void Vm::on_output_bytes(std::string_view bytes) {
    output_received_ += bytes.size();
    if (output_file_) {
        std::fwrite(bytes.data(), 1, bytes.size(), output_file_.get());
        std::fflush(output_file_.get());
    }
    if (on_output_) on_output_(bytes);
    finish_step_if_complete();
}

void Vm::finish_step_if_complete() {
    if (step_.status && output_received_ >= step_.output_goal) step_.finished = true;
}

void Vm::on_qmp_event(const std::string& name, const Qmp::Json& data) {
    if (name == "GUEST_PANICKED") panicked_ = true;
    if (name == "SHUTDOWN") shutdown_reason_ = data.value("reason", "");
    if (name == "DEVICE_DELETED") deleted_devices_.insert(data.value("device", ""));
}

const std::optional<Error>& Vm::failure() {
    if (!failure_ && !end_judged_ && process_->end()) {
        end_judged_ = true;
        // What the guest and QEMU said before the end may still be in the sockets.
        for (Stream* stream : {status_.get(), output_.get(), console_.get()}) stream->drain();
        qmp_->drain();
        const ChildEnd& end = *process_->end();
        // By agreement is only what the guest did itself: neither a panic nor QEMU's death
        // becomes a success by coming while it powers off.
        const bool agreed = stopping_ && end.status == 0 && !panicked_;
        if (!failure_ && !agreed) failure_ = explain_end(end);
    }
    return failure_;
}

Error Vm::explain_end(const ChildEnd& end) {
    const auto complaints = console_log_.new_complaints();
    auto fatal = std::ranges::find(complaints, Complaint::oops, &KernelComplaint::kind);
    if (fatal == complaints.end())
        fatal = std::ranges::find(complaints, Complaint::panic, &KernelComplaint::kind);
    if (fatal != complaints.end()) fatal_complaint_ = *fatal;

    if (end.status != 0) {
        // An exit by itself before the guest has come up: QEMU did not like what it was given.
        if (end.signal == 0 && !agent_up_)
            return {ExitStatus::setup,
                    fmt::format("{}: QEMU did not start: {}", name(), last_words_of_qemu())};
        return {ExitStatus::qemu_died,
                fmt::format("{}: QEMU died, {}: {}", name(), end.text(), last_words_of_qemu())};
    }
    if (panicked_ || fatal_complaint_) {
        const bool oops = fatal_complaint_ && fatal_complaint_->kind == Complaint::oops;
        return {ExitStatus::guest_panic,
                fmt::format("{}: the guest's kernel {}: {}", name(), oops ? "oopsed" : "panicked",
                            fatal_complaint_ ? fatal_complaint_->line : "see its console")};
    }
    // A signal that QEMU takes as a wish to end leaves with status 0, too.
    if (shutdown_reason_ == "host-signal")
        return {ExitStatus::qemu_died,
                fmt::format("{}: QEMU was ended by a signal: {}", name(), last_words_of_qemu())};
    const char* how = shutdown_reason_ == "guest-reset" ? "reset" : "powered off";
    if (!agent_up_)
        return {ExitStatus::setup, fmt::format("{}: the guest {} before its agent started; see {}",
                                               name(), how, spec_.console_file().string())};
    return {ExitStatus::guest_ended,
            fmt::format("{}: the guest {} before it gave its verdict", name(), how)};
}

std::string Vm::last_words_of_qemu() const {
    std::ifstream file(spec_.qemu_log());
    std::string last = "it said nothing";
    for (std::string line; std::getline(file, line);) {
        if (!line.empty()) last = line;
    }
    return last;
}

Result<void> Vm::start_step(const std::string& command) {
    const int id = step_.id + 1;
    const auto file = spec_.job_folder() / fmt::format("step-{}.sh", id);
    if (auto written = write_text(file, command + "\n"); !written) return written;
    step_ = StepState{.id = id, .started_at = Clock::now(), .output_goal = step_.output_goal};
    status_->send(fmt::format("start {}\n", id));
    return {};
}

void Vm::end_step() {
    if (!idle()) status_->send(fmt::format("end {}\n", step_.id));
}

Result<void> Vm::unplug(std::size_t link, Deadline deadline) {
    const std::string id = nic_id(link);
    deleted_devices_.erase(id);
    if (auto done = qmp_->execute(loop_, "device_del", {{"id", id}}, deadline); !done)
        return std::unexpected(done.error());
    const auto woken = loop_.wait(
        [&] { return deleted_devices_.contains(id) || failure().has_value(); }, deadline);
    if (woken == EventLoop::Woken::interrupted) return fail(ExitStatus::interrupted, "interrupted");
    if (woken == EventLoop::Woken::deadline)
        return fail(ExitStatus::timeout, "{}: the guest did not let go of its NIC", name());
    if (failure()) return std::unexpected(*failure());
    return {};
}

Result<void> Vm::plug(std::size_t link, Deadline deadline) {
    // By the human monitor: it takes all values as text, QMP's types changed between releases.
    const NicDevice device = nic_device(spec_, link);
    const std::string line = "device_add " + device_text(device);
    auto answer = qmp_->execute(loop_, "human-monitor-command", {{"command-line", line}}, deadline);
    if (!answer) return std::unexpected(answer.error());
    if (answer->is_string() && !answer->get<std::string>().empty())
        return fail(ExitStatus::failure, "{}: QEMU refused to plug the NIC: {}", name(),
                    answer->get<std::string>());
    ready_ = false;
    status_->send("configure\n");
    const auto woken = loop_.wait([&] { return ready_ || failure().has_value(); }, deadline);
    if (woken == EventLoop::Woken::interrupted) return fail(ExitStatus::interrupted, "interrupted");
    if (woken == EventLoop::Woken::deadline)
        return fail(ExitStatus::timeout, "{}: the plugged NIC did not come up", name());
    if (failure()) return std::unexpected(*failure());
    return {};
}

Result<void> Vm::set_link(std::size_t link, bool up, Deadline deadline) {
    auto done = qmp_->execute(loop_, "set_link", {{"name", nic_id(link)}, {"up", up}}, deadline);
    if (!done) return std::unexpected(done.error());
    return {};
}

Result<void> Vm::set_faults(std::size_t link, const std::string& rules, Deadline deadline) {
    return set_property(link, "faults", rules, deadline);
}

Result<void> Vm::set_surprise_removed(std::size_t link, bool removed, Deadline deadline) {
    return set_property(link, "surprise-removed", removed, deadline);
}

Result<void> Vm::set_property(std::size_t link, const char* property, Qmp::Json value,
                              Deadline deadline) {
    auto done = qmp_->execute(loop_, "qom-set",
                              {{"path", "/machine/peripheral/" + nic_id(link)},
                               {"property", property},
                               {"value", std::move(value)}},
                              deadline);
    if (!done) return std::unexpected(done.error());
    return {};
}

Result<void> Vm::put_processors_behind_device(Deadline deadline) {
    auto processors = qmp_->execute(loop_, "query-cpus-fast", Qmp::Json::object(), deadline);
    if (!processors) return std::unexpected(processors.error());
    const int niceness = getpriority(PRIO_PROCESS, 0) + vcpu_niceness;
    for (const auto& processor : *processors) {
        const auto thread = processor.value("thread-id", 0);
        // Anybody may make his own threads nicer; a thread that is gone needs nothing.
        if (thread > 0) (void)setpriority(PRIO_PROCESS, static_cast<id_t>(thread), niceness);
    }
    return {};
}

void Vm::start_shell(int rows, int columns, OnOutput on_bytes) {
    on_shell_ = std::move(on_bytes);
    status_->send(fmt::format("shell {} {}\n", rows, columns));
}

void Vm::type(std::string_view keys) {
    if (shell_) shell_->send(keys);
}

void Vm::stop() {
    if (stopping_ || process_->end()) return;
    stopping_ = true;
    status_->send("stop\n");
}

std::vector<KernelComplaint> Vm::new_complaints() {
    console_->drain();
    auto found = console_log_.new_complaints();
    if (fatal_complaint_) found.insert(found.begin(), *fatal_complaint_);
    fatal_complaint_.reset();
    return found;
}

}  // namespace vrnic::runner
