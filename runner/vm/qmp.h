// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/stream.h"

namespace vrnic::runner {

// A QEMU's monitor (QMP). Commands are answered in order of their ids; events go to a callback.
class Qmp {
  public:
    using Json = nlohmann::json;
    using OnEvent = std::function<void(const std::string& name, const Json& data)>;

    Qmp(UniqueFd fd, OnEvent on_event);

    // The answer's "return", or QEMU's own description of the error.
    [[nodiscard]] Result<Json> execute(EventLoop& loop, const std::string& command,
                                       const Json& arguments, Deadline deadline);
    void drain() { stream_.drain(); }

  private:
    void on_line(std::string_view line);

    OnEvent on_event_;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Json> answers_;
    LineCutter lines_;
    Stream stream_;
};

}  // namespace vrnic::runner
