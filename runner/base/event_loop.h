// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include <chrono>
#include <functional>

namespace vrnic::runner {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

// Everything the runner does happens on one thread, in callbacks of GLib's main loop. The steps
// of a command are written one after another: each waits here until what it needs is true.
class EventLoop {
  public:
    enum class Woken { condition, deadline, interrupted };

    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Runs callbacks until done() holds, the deadline passes or the person interrupts.
    // done() is asked again after every round of callbacks.
    [[nodiscard]] Woken wait(const std::function<bool()>& done, Deadline deadline);

    // As wait(), but goes on after an interrupt: for cleaning up.
    bool wait_regardless(const std::function<bool()>& done, Deadline deadline);

    // SIGINT, SIGTERM or SIGHUP came.
    [[nodiscard]] bool interrupted() const { return interrupted_; }

  private:
    static gboolean on_signal(void* self);
    Woken run(const std::function<bool()>& done, Deadline deadline, bool heed_interrupt);

    bool interrupted_ = false;
    guint signal_sources_[3];
};

// Calls back when a descriptor can be read (or written) for as long as it lives.
// The descriptor must outlive it.
class FdWatch {
  public:
    enum class For { reading, writing };

    FdWatch(int fd, For what, std::function<void()> callback);
    ~FdWatch();
    FdWatch(const FdWatch&) = delete;
    FdWatch& operator=(const FdWatch&) = delete;

  private:
    static gboolean on_ready(gint fd, GIOCondition condition, void* self);

    std::function<void()> callback_;
    guint source_;
};

}  // namespace vrnic::runner
