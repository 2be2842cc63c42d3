// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/event_loop.h"

#include <glib-unix.h>

#include <algorithm>
#include <csignal>

namespace vrnic::runner {

EventLoop::EventLoop()
    : signal_sources_{g_unix_signal_add(SIGINT, on_signal, this),
                      g_unix_signal_add(SIGTERM, on_signal, this),
                      g_unix_signal_add(SIGHUP, on_signal, this)} {
    // A VM that ends while it is written to is seen as an error of the write.
    std::signal(SIGPIPE, SIG_IGN);
}

EventLoop::~EventLoop() {
    for (guint source : signal_sources_) g_source_remove(source);
}

gboolean EventLoop::on_signal(void* self) {
    static_cast<EventLoop*>(self)->interrupted_ = true;
    return G_SOURCE_CONTINUE;
}

EventLoop::Woken EventLoop::wait(const std::function<bool()>& done, Deadline deadline) {
    return run(done, deadline, true);
}

bool EventLoop::wait_regardless(const std::function<bool()>& done, Deadline deadline) {
    return run(done, deadline, false) == Woken::condition;
}

EventLoop::Woken EventLoop::run(const std::function<bool()>& done, Deadline deadline,
                                bool heed_interrupt) {
    using std::chrono::milliseconds;
    for (;;) {
        if (heed_interrupt && interrupted_) return Woken::interrupted;
        if (done()) return Woken::condition;
        const auto now = Clock::now();
        if (now >= deadline) return Woken::deadline;

        // The timer only wakes the iteration; it is one-shot and made anew each round.
        const auto left = std::chrono::ceil<milliseconds>(deadline - now);
        const auto ms = std::clamp<std::int64_t>(left.count(), 1, 3'600'000);
        bool fired = false;
        const guint timer = g_timeout_add(
            static_cast<guint>(ms),
            [](void* flag) -> gboolean {
                *static_cast<bool*>(flag) = true;
                return G_SOURCE_REMOVE;
            },
            &fired);
        g_main_context_iteration(nullptr, TRUE);
        if (!fired) g_source_remove(timer);
    }
}

FdWatch::FdWatch(int fd, For what, std::function<void()> callback)
    : callback_(std::move(callback)),
      source_(g_unix_fd_add(fd,
                            what == For::reading ? GIOCondition(G_IO_IN | G_IO_HUP | G_IO_ERR)
                                                 : GIOCondition(G_IO_OUT | G_IO_ERR),
                            on_ready, this)) {}

FdWatch::~FdWatch() {
    g_source_remove(source_);
}

gboolean FdWatch::on_ready(gint, GIOCondition, void* self) {
    // The callback may destroy this watch, and with it the std::function that is running.
    auto callback = static_cast<FdWatch*>(self)->callback_;
    callback();
    return G_SOURCE_CONTINUE;
}

}  // namespace vrnic::runner
