// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace vrnic::setup {

// Tells a person on stderr what set-up is doing. A step is one line; on a terminal it carries
// its elapsed time and a changing detail while it runs. Nothing is printed when nothing is to do.
class Progress {
  public:
    Progress();
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // Something to know before it happens: what will be downloaded, where it goes.
    void note(std::string_view text);

    // Starts a step; the one before it is ended as done.
    void step(std::string_view text);
    // Shown after the step's text until the next detail; only on a terminal.
    void detail(std::string_view text);
    // Called now and then while a step runs, so that its time moves.
    void tick();
    // Ends the step.
    void done();

  private:
    void draw();

    bool terminal_;
    std::string step_;  // empty: none runs
    std::string detail_;
    std::chrono::steady_clock::time_point start_;
    std::chrono::steady_clock::time_point drawn_;
};

}  // namespace vrnic::setup
