// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's monitor protocol.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>

#include "support/line_socket.h"

namespace vrnic::device_test {

using Json = nlohmann::json;

class Qmp {
  public:
    explicit Qmp(LineSocket& socket) : socket_(socket) {}

    void greet();
    // The "return" member. Throws with QEMU's text when the command fails.
    Json command(const std::string& name, const Json& arguments = Json::object());
    // The "desc" of the error, or an empty text when the command succeeds.
    std::string error_of(const std::string& name, const Json& arguments = Json::object());
    // Waits for an event of this name and takes it.
    Json event(const std::string& name);

  private:
    Json answer(const std::string& name, const Json& arguments);

    LineSocket& socket_;
    std::deque<Json> events_;
};

}  // namespace vrnic::device_test
