// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gio/gio.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/event_loop.h"
#include "base/unique_fd.h"

namespace vrnic::runner {

// What to start. Standard input is /dev/null unless inherit_terminal.
struct ChildCommand {
    struct PassedFd {
        UniqueFd fd;  // closed here once the child has it
        int number;   // its number in the child
    };

    std::vector<std::string> argv;
    std::vector<PassedFd> fds;
    std::filesystem::path output_file;  // stdout and stderr; empty: the runner's own
    std::filesystem::path directory;    // working directory; empty: the runner's own
    std::vector<std::pair<std::string, std::string>> environment;  // added to the runner's own
    bool inherit_terminal = false;
};

// How a process ended.
struct ChildEnd {
    int status = 0;  // exit status; 128 + signal when a signal ended it
    int signal = 0;  // 0: it exited by itself

    [[nodiscard]] std::string text() const;
};

// A process that never outlives the runner: the kernel ends it when the runner dies, however
// that happens, and the destructor ends it otherwise.
class ChildProcess {
  public:
    [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> start(ChildCommand command);

    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    // Known after the main loop has run; empty while the process lives.
    [[nodiscard]] const std::optional<ChildEnd>& end() const { return end_; }
    void send_signal(int signal);
    // 0 when it had ended before it could be known.
    [[nodiscard]] int pid() const { return pid_; }

  private:
    explicit ChildProcess(GSubprocess* process);
    static void on_end(GObject* source, GAsyncResult* result, void* self);

    GSubprocess* process_;
    GCancellable* cancel_;
    int pid_;
    std::optional<ChildEnd> end_;
};

// Runs to the end, with the loop running; past the deadline the process is killed.
[[nodiscard]] Result<ChildEnd> run_to_end(EventLoop& loop, ChildCommand command, Deadline deadline);

}  // namespace vrnic::runner
