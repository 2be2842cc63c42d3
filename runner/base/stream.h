// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/event_loop.h"
#include "base/unique_fd.h"

namespace vrnic::runner {

// One end of a socket pair whose other end a QEMU holds: received bytes come to a callback,
// bytes to send are queued. What comes in is a guest's and may be anything.
class Stream {
  public:
    using Receive = std::function<void(std::string_view)>;

    Stream(UniqueFd fd, Receive receive);

    void send(std::string_view bytes);
    // Takes what has arrived without waiting for the loop: before a verdict is made from it.
    void drain();
    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] std::size_t unsent() const { return unsent_.size(); }

  private:
    void on_readable();
    void flush();

    UniqueFd fd_;
    Receive receive_;
    std::string unsent_;
    bool closed_ = false;
    std::unique_ptr<FdWatch> reading_;
    std::unique_ptr<FdWatch> writing_;  // only while something is unsent
};

// Cuts a byte stream into lines. A line longer than the limit is cut there.
class LineCutter {
  public:
    using Line = std::function<void(std::string_view)>;

    explicit LineCutter(Line line, std::size_t limit = 64 * 1024)
        : line_(std::move(line)), limit_(limit) {}

    void take(std::string_view bytes);
    // Gives out a last line without its end.
    void finish();

  private:
    void emit();

    Line line_;
    std::size_t limit_;
    std::string partial_;
};

}  // namespace vrnic::runner
