// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <termios.h>

#include "base/error.h"

namespace vrnic::runner {

// The person's terminal with every key passed on as it is, until destroyed.
class RawTerminal {
  public:
    [[nodiscard]] static Result<RawTerminal> take();

    RawTerminal(RawTerminal&& other) noexcept;
    RawTerminal& operator=(RawTerminal&&) = delete;
    ~RawTerminal();

  private:
    explicit RawTerminal(const termios& before) : before_(before), taken_(true) {}

    termios before_;
    bool taken_;
};

struct TerminalSize {
    int rows;
    int columns;
};
[[nodiscard]] TerminalSize terminal_size();

}  // namespace vrnic::runner
