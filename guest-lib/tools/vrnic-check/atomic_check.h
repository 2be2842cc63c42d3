// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "channel.h"
#include "device.h"
#include "failure.h"
#include "plan.h"

namespace vrnic::check {

// Queue pairs of both machines change the same words, which lie on the server: half of them are the
// client's, half connect the server with itself. Each change must be seen once, and no sum may be
// off by one.
class AtomicCheck {
  public:
    // The references must outlive the object.
    AtomicCheck(const Plan& plan, const Device& device, Channel& peer, bool is_client)
        : plan_(plan), device_(device), peer_(peer), is_client_(is_client) {}

    // Calls `found` with a line for each operation.
    Result<void> run(const std::function<void(const std::string&)>& found);

  private:
    const Plan& plan_;
    const Device& device_;
    Channel& peer_;
    const bool is_client_;
};

}  // namespace vrnic::check
