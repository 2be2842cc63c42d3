// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/child_process.h"
#include "base/event_loop.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner_test {

using runner::EventLoop;
using std::chrono::seconds;

// Longer than anything here takes on a busy machine.
inline constexpr auto patience = seconds(180);

using Environment = std::vector<std::pair<std::string, std::string>>;

// A `./vrnic` that runs, with the options of `./vrnic test` (kernel, QEMU, accelerator) for `run`.
// It is ended with the object.
class VrnicRun {
  public:
    VrnicRun(EventLoop& loop, std::vector<std::string> arguments, Environment environment = {});

    // What it has printed, stdout and stderr.
    [[nodiscard]] std::string output() const;
    // Waits until it has printed this; false when it ends or takes too long before.
    [[nodiscard]] bool prints(std::string_view text);
    // Waits for its end. 128 + signal when one ended it; -1 when it takes too long.
    [[nodiscard]] int wait();
    void send_signal(int signal) { process_->send_signal(signal); }

    // The QEMUs that it has started, and that live.
    [[nodiscard]] std::vector<int> qemus() const;
    // What it says of its end: its own lines, without where the evidence is and without warnings.
    [[nodiscard]] std::vector<std::string> explanations() const;
    // Where it left consoles and logs; empty when it tells no place.
    [[nodiscard]] std::filesystem::path evidence() const;

  private:
    EventLoop& loop_;
    runner::testing::ScratchFolder folder_;
    std::unique_ptr<runner::ChildProcess> process_;
};

// Looks now and then until the condition holds: files and processes wake no loop.
[[nodiscard]] bool wait_until(EventLoop& loop, const std::function<bool()>& condition,
                              seconds limit = patience);

// None of these processes lives, or will after a few seconds.
[[nodiscard]] bool all_gone(EventLoop& loop, const std::vector<int>& processes);

// The folder with the kernel modules of tests/runner/guest, built by `./vrnic test`.
[[nodiscard]] std::string modules_folder();

}  // namespace vrnic::runner_test
