// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <functional>

#include "channel.h"
#include "device.h"
#include "failure.h"
#include "plan.h"
#include "scene.h"

namespace vrnic::check {

// Provokes each kind of error and compares what both sides are told with what the specification
// says. Each case has QPs of its own, as an error ends them.
class ErrorCheck {
  public:
    // The references must outlive the object.
    ErrorCheck(const Plan& plan, const Device& device, Channel& peer, bool is_client)
        : plan_(plan), device_(device), peer_(peer), is_client_(is_client) {}

    // Fails when the cases could not be run; wrong behaviour is what `found` is told of each.
    Result<void> run(const std::function<void(const Finding&)>& found);

  private:
    const Plan& plan_;
    const Device& device_;
    Channel& peer_;
    const bool is_client_;
};

}  // namespace vrnic::check
