// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "failure.h"

namespace vrnic::check {

// The TCP connection to the peer: JSON values, one a line.
class Channel {
  public:
    // Waits for one peer on all addresses of this machine.
    static Result<Channel> accept(const std::string& port, int timeout_seconds);
    // Tries for `patience_seconds` to reach a server that may not have started yet.
    static Result<Channel> connect(const std::string& host, const std::string& port,
                                   int patience_seconds, int timeout_seconds);

    Channel(Channel&& other) noexcept;
    Channel& operator=(Channel&&) = delete;
    ~Channel();

    Result<void> send(const nlohmann::json& value);
    Result<nlohmann::json> receive();
    // Sends ours and receives the peer's.
    Result<nlohmann::json> exchange(const nlohmann::json& ours);
    // Both sides came this far.
    Result<void> barrier(const std::string& place);

  private:
    explicit Channel(int fd) : fd_(fd) {}

    int fd_;
    std::string received_;  // not yet a whole line
};

}  // namespace vrnic::check
