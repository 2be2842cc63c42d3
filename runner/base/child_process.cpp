// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace vrnic::runner {
namespace {

// Runs between fork and exec: only async-signal-safe calls.
void prepare_child(void* parent) {
    // A group of its own, so that Ctrl-C reaches the runner alone, which then ends it in order.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The runner may have died before the line above.
    if (::getppid() != static_cast<pid_t>(GPOINTER_TO_INT(parent))) ::_exit(127);
}

void prepare_terminal_child(void* parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != static_cast<pid_t>(GPOINTER_TO_INT(parent))) ::_exit(127);
}

// 0 when the process has ended already: GLib's own thread waits for it and then forgets the number.
int number_of(GSubprocess* process) {
    const char* text = g_subprocess_get_identifier(process);
    return text == nullptr ? 0 : std::atoi(text);
}

}  // namespace

std::string ChildEnd::text() const {
    if (signal != 0) return fmt::format("ended by signal {} ({})", signal, g_strsignal(signal));
    return fmt::format("exit status {}", status);
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(ChildCommand command) {
    const auto flags =
        command.inherit_terminal ? G_SUBPROCESS_FLAGS_STDIN_INHERIT : G_SUBPROCESS_FLAGS_NONE;
    std::unique_ptr<GSubprocessLauncher, decltype(&g_object_unref)> launcher(
        g_subprocess_launcher_new(flags), g_object_unref);

    g_subprocess_launcher_set_child_setup(
        launcher.get(), command.inherit_terminal ? prepare_terminal_child : prepare_child,
        GINT_TO_POINTER(::getpid()), nullptr);
    for (auto& passed : command.fds)
        g_subprocess_launcher_take_fd(launcher.get(), passed.fd.release(), passed.number);
    if (!command.output_file.empty()) {
        const int out =
            ::open(command.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (out < 0)
            return fail(ExitStatus::setup, "cannot write {}: {}", command.output_file.string(),
                        g_strerror(errno));
        g_subprocess_launcher_take_stdout_fd(launcher.get(), ::dup(out));
        g_subprocess_launcher_take_stderr_fd(launcher.get(), out);
    }
    if (!command.directory.empty())
        g_subprocess_launcher_set_cwd(launcher.get(), command.directory.c_str());
    for (const auto& [name, value] : command.environment)
        g_subprocess_launcher_setenv(launcher.get(), name.c_str(), value.c_str(), TRUE);

    std::vector<const char*> argv;
    for (const auto& argument : command.argv) argv.push_back(argument.c_str());
    argv.push_back(nullptr);
    GError* error = nullptr;
    GSubprocess* process = g_subprocess_launcher_spawnv(launcher.get(), argv.data(), &error);
    if (process == nullptr) {
        auto failure =
            fail(ExitStatus::setup, "cannot start {}: {}", command.argv.front(), error->message);
        g_error_free(error);
        return failure;
    }
    return std::unique_ptr<ChildProcess>(new ChildProcess(process));
}

ChildProcess::ChildProcess(GSubprocess* process)
    : process_(process), cancel_(g_cancellable_new()), pid_(number_of(process)) {
    g_subprocess_wait_async(process_, cancel_, on_end, this);
}

ChildProcess::~ChildProcess() {
    if (!end_) {
        g_subprocess_force_exit(process_);
        g_subprocess_wait(process_, nullptr, nullptr);
        // The callback still comes, once, and must not find a dead object.
        g_cancellable_cancel(cancel_);
        while (!end_) g_main_context_iteration(nullptr, TRUE);
    }
    g_object_unref(cancel_);
    g_object_unref(process_);
}

void ChildProcess::on_end(GObject* source, GAsyncResult* result, void* self) {
    auto* process = G_SUBPROCESS(source);
    g_subprocess_wait_finish(process, result, nullptr);
    ChildEnd end;
    if (g_subprocess_get_if_signaled(process)) {
        end.signal = g_subprocess_get_term_sig(process);
        end.status = 128 + end.signal;
    } else if (g_subprocess_get_if_exited(process)) {
        end.status = g_subprocess_get_exit_status(process);
    }
    static_cast<ChildProcess*>(self)->end_ = end;
}

void ChildProcess::send_signal(int signal) {
    if (!end_) g_subprocess_send_signal(process_, signal);
}

Result<ChildEnd> run_to_end(EventLoop& loop, ChildCommand command, Deadline deadline) {
    const std::string name = command.argv.front();
    auto child = ChildProcess::start(std::move(command));
    if (!child) return std::unexpected(child.error());
    switch (loop.wait([&] { return (*child)->end().has_value(); }, deadline)) {
        case EventLoop::Woken::condition:
            return *(*child)->end();
        case EventLoop::Woken::deadline:
            return fail(ExitStatus::timeout, "{} did not end in its time", name);
        case EventLoop::Woken::interrupted:
            break;
    }
    return fail(ExitStatus::interrupted, "interrupted");
}

}  // namespace vrnic::runner
