// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/shell.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "agent/step.h"
#include "agent/system.h"

namespace vrnic::agent {

pid_t start_shell(const protocol::VmConfig& config, int rows, int columns) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    (void)write_file("/proc/self/oom_score_adj", "0");
    std::signal(SIGPIPE, SIG_DFL);
    // The first terminal that a session's leader opens becomes its controlling one.
    ::setsid();
    const int console = ::open("/dev/hvc0", O_RDWR);
    if (console < 0) ::_exit(1);
    winsize size{};
    size.ws_row = static_cast<unsigned short>(rows);
    size.ws_col = static_cast<unsigned short>(columns);
    ::ioctl(console, TIOCSWINSZ, &size);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(console, fd);
    set_environment(config);
    const std::string prompt =
        "\\[\\e[36m\\]" + ("vm" + std::to_string(config.number)) + "\\[\\e[0m\\]:\\w# ";
    ::setenv("PS1", prompt.c_str(), 1);
    [[maybe_unused]] const int moved = ::chdir("/root");
    ::execlp("bash", "bash", "--norc", "-i", nullptr);
    ::_exit(127);
}

}  // namespace vrnic::agent
