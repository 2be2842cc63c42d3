// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/step.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "agent/nics.h"

namespace vrnic::agent {
void set_environment(const protocol::VmConfig& config) {
    const auto set = [](const std::string& name, const std::string& value) {
        ::setenv(name.c_str(), value.c_str(), 1);
    };
    set("VM", "vm" + std::to_string(config.number));
    const char* path = std::getenv("PATH");
    set("PATH",
        std::string(path == nullptr ? "/usr/bin:/bin" : path) + ":" + protocol::parts_folder);
    for (std::size_t link = 0; link < config.nics.size(); ++link) {
        const NicNames names = find_nic(config, link);
        // $DEV is the first NIC's, $DEV2 the second's, and so on.
        const std::string suffix = link == 0 ? "" : std::to_string(link + 1);
        set("NETDEV" + suffix, names.netdev);
        set("DEV" + suffix, names.rdma_device);
        set("GID" + suffix, names.gid_ipv4);
        set("GID6" + suffix, names.gid_ipv6);
    }
}

Result<Step> Step::start(int id, const protocol::VmConfig& config) {
    Step step;
    step.id_ = id;
    step.known_listeners_ = listeners();
    const std::string script =
        std::string(protocol::job_folder) + "/step-" + std::to_string(id) + ".sh";

    int pipe_fds[2];
    if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return std::unexpected("no pipe");
    step.child_ = ::fork();
    if (step.child_ < 0) {
        ::close(pipe_fds[0]);
        ::close(pipe_fds[1]);
        return std::unexpected(std::string("cannot fork: ") + std::strerror(errno));
    }
    if (step.child_ == 0) {
        ::setpgid(0, 0);
        ::dup2(pipe_fds[1], STDOUT_FILENO);
        ::dup2(pipe_fds[1], STDERR_FILENO);
        std::signal(SIGPIPE, SIG_DFL);
        // The agent's protection from the OOM killer is its own.
        (void)write_file("/proc/self/oom_score_adj", "0");
        set_environment(config);
        [[maybe_unused]] const int moved = ::chdir("/root");
        ::execlp("bash", "bash", script.c_str(), nullptr);
        ::_exit(127);
    }
    ::setpgid(step.child_, step.child_);  // whoever of the two comes first
    ::close(pipe_fds[1]);
    ::fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    step.output_fd_ = pipe_fds[0];
    step.end_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, step.child_, 0));
    return step;
}

std::optional<int> Step::advance(const Output& output) {
    if (kill_at_ && std::chrono::steady_clock::now() >= *kill_at_) ::kill(-child_, SIGKILL);

    // Asked before the output is read: what was written before the end is then read below.
    siginfo_t ended{};
    const bool has_ended =
        ::waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == child_;
    if (has_ended) ::kill(-child_, SIGKILL);

    std::array<char, 16 * 1024> buffer;
    ssize_t count;
    while ((count = ::read(output_fd_, buffer.data(), buffer.size())) > 0) {
        output_bytes_ += static_cast<std::uint64_t>(count);
        output(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
        if (!has_ended) break;  // let the agent see its other events
    }
    if (!has_ended) return {};

    ::close(output_fd_);
    ::close(end_fd_);
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<int> Step::new_listening_port() {
    // Looking takes a kernel that checks itself tens of milliseconds: at most a tenth of the time.
    const auto begin = std::chrono::steady_clock::now();
    if (begin < next_look_) return {};
    const auto found = listeners();
    const auto end = std::chrono::steady_clock::now();
    next_look_ = end + 9 * (end - begin);
    for (const Listener& listener : found) {
        if (known_listeners_.insert(listener).second) return listener.port;
    }
    return {};
}

void Step::end() {
    if (kill_at_) return;
    ::kill(-child_, SIGTERM);
    kill_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(2);
}

}  // namespace vrnic::agent
