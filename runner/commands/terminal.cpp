// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

namespace vrnic::runner {

Result<RawTerminal> RawTerminal::take() {
    termios before{};
    if (::tcgetattr(STDIN_FILENO, &before) != 0)
        return fail(ExitStatus::usage, "this needs a terminal; use ./vrnic run in scripts");
    termios raw = before;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    return RawTerminal(before);
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept
    : before_(other.before_), taken_(std::exchange(other.taken_, false)) {}

RawTerminal::~RawTerminal() {
    if (taken_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

TerminalSize terminal_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return {24, 80};
    return {size.ws_row, size.ws_col};
}

}  // namespace vrnic::runner
