// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "agent/system.h"

namespace vrnic::agent {

// A virtio-serial port, found by the name that the runner gave it.
class Port {
  public:
    [[nodiscard]] static Result<Port> open(std::string_view name);

    [[nodiscard]] int fd() const { return fd_; }
    // Waits until the host took everything: the runner always reads.
    void write(std::string_view bytes) const;

  private:
    explicit Port(int fd) : fd_(fd) {}
    int fd_;  // open as long as the agent lives
};

}  // namespace vrnic::agent
