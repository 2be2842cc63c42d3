// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <functional>

#include "channel.h"
#include "device.h"
#include "failure.h"
#include "plan.h"
#include "scene.h"

namespace vrnic::check {

// Memory windows and invalidation (IBTA 10.7), ATOMIC WRITE and FLUSH (annex A19): what they let
// through, what they keep out, and every byte of the target's memory. Each case has QPs of its own.
class ExtensionCheck {
  public:
    // The references must outlive the object.
    ExtensionCheck(const Plan& plan, const Device& device, Channel& peer, bool is_client)
        : plan_(plan), device_(device), peer_(peer), is_client_(is_client) {}

    // Fails when the cases could not be run; wrong behaviour is what `found` is told of each. A
    // case that one of the devices does not offer is found as "not offered".
    Result<void> run(const std::function<void(const Finding&)>& found);

  private:
    const Plan& plan_;
    const Device& device_;
    Channel& peer_;
    const bool is_client_;
};

}  // namespace vrnic::check
