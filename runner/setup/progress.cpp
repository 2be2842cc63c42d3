// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace vrnic::setup {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr auto redraw_interval = std::chrono::milliseconds(200);
constexpr std::string_view clear_line = "\r\033[K";

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    // A step that is still open failed: leave its line, the error follows on the next.
    if (!step_.empty() && terminal_) fmt::print(stderr, "\n");
}

void Progress::note(std::string_view text) {
    done();
    fmt::print(stderr, "vrnic: {}\n", text);
}

void Progress::step(std::string_view text) {
    done();
    step_ = text;
    detail_.clear();
    start_ = std::chrono::steady_clock::now();
    if (terminal_)
        draw();
    else
        fmt::print(stderr, "vrnic: {} ...\n", step_);
}

void Progress::detail(std::string_view text) {
    detail_ = text;
    tick();
}

void Progress::tick() {
    if (!terminal_ || step_.empty()) return;
    if (std::chrono::steady_clock::now() - drawn_ >= redraw_interval) draw();
}

void Progress::done() {
    if (step_.empty()) return;
    const Seconds elapsed = std::chrono::steady_clock::now() - start_;
    if (terminal_)
        fmt::print(stderr, "{}vrnic: {} ({:.1f} s)\n", clear_line, step_, elapsed.count());
    step_.clear();
}

void Progress::draw() {
    drawn_ = std::chrono::steady_clock::now();
    const Seconds elapsed = drawn_ - start_;
    fmt::print(stderr, "{}vrnic: {} ... {:.0f} s {}", clear_line, step_, elapsed.count(), detail_);
    std::fflush(stderr);
}

}  // namespace vrnic::setup
