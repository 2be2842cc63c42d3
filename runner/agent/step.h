// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "agent/listening.h"
#include "agent/protocol.h"
#include "agent/system.h"

namespace vrnic::agent {

// Gives this process's children what every command finds in its environment: $VM, and $DEV,
// $NETDEV, $GID and $GID6 of the NICs as they are now.
void set_environment(const protocol::VmConfig& config);

// One command of the runner while it runs. Its processes are a group of their own; what is left of
// the group when the command itself has ended is ended too, so that steps do not disturb each
// other.
class Step {
  public:
    using Output = std::function<void(std::string_view)>;

    [[nodiscard]] static Result<Step> start(int id, const protocol::VmConfig& config);

    [[nodiscard]] int id() const { return id_; }
    [[nodiscard]] int output_fd() const { return output_fd_; }  // to poll for reading
    [[nodiscard]] int end_fd() const { return end_fd_; }        // readable when the command ended

    // Passes on what was written since; returns the status once the command has ended and all its
    // output was passed on.
    [[nodiscard]] std::optional<int> advance(const Output& output);
    // A port that listens for the first time in this step; each is told once. To be called often:
    // it decides when to look.
    [[nodiscard]] std::optional<int> new_listening_port();
    // SIGTERM now, SIGKILL two seconds later.
    void end();

    [[nodiscard]] std::uint64_t output_bytes() const { return output_bytes_; }

  private:
    Step() = default;

    int id_ = 0;
    pid_t child_ = -1;
    int output_fd_ = -1;
    int end_fd_ = -1;
    std::uint64_t output_bytes_ = 0;
    std::set<Listener> known_listeners_;
    std::chrono::steady_clock::time_point next_look_{};
    std::optional<std::chrono::steady_clock::time_point> kill_at_;
};

}  // namespace vrnic::agent
